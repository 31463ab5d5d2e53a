"""What the processor of this machine computes natively, read when it is asked for."""

import functools
import logging
from pathlib import Path

logger = logging.getLogger(__name__)

CPU_INFO = Path("/proc/cpuinfo")
FLAG_LINES = ("flags", "Features")  # of x86-64 and of ARM
# Instructions of which one is enough; without them a precision is emulated, and slower than fp32.
INSTRUCTIONS = {
    "bf16": frozenset({"avx512_bf16", "amx_bf16", "bf16"}),
    "int8": frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}),
}


@functools.cache
def processor_flags() -> frozenset[str]:
    """Names of the instructions that the processor has; none where the system does not tell."""
    try:
        lines = CPU_INFO.read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(
        word for line in lines if line.startswith(FLAG_LINES) for word in line.split(":")[1].split()
    )


def computes(precision: str) -> bool:
    """Whether the processor has instructions for ``bf16`` or ``int8``."""
    return bool(INSTRUCTIONS[precision] & processor_flags())


def native_precision(wanted: str) -> str:
    """Precision that a network computes in where ``wanted`` is preferred: that, or ``fp32``.

    Says so in the log where the processor lacks the instructions.
    """
    if wanted not in INSTRUCTIONS or computes(wanted):
        return wanted
    needed = ", ".join(sorted(INSTRUCTIONS[wanted]))
    logger.info("this processor does not compute in %s (none of %s): fp32 instead", wanted, needed)
    return "fp32"
