"""A fault that begins and ends while the car drives."""

import math
from typing import NamedTuple

from conegrad_evaluation.disturbances.fault import Fault, read_fault

FORM = "NAME[:SEVERITY][@START-END]"


class TimedFault(NamedTuple):
    """A fault from one time of the drive to another.

    Attributes:
        fault: disturbance, severity and seed.
        start: since the start of the drive [s].
        end: likewise; infinite where it stays [s].
    """

    fault: Fault
    start: float = 0.0
    end: float = math.inf

    def is_on(self, time: float) -> bool:
        """Whether it acts at a time [s]."""
        return self.start <= time < self.end

    def __str__(self) -> str:
        """As :func:`read_timed_fault` takes it."""
        if self.start == 0.0 and math.isinf(self.end):
            return str(self.fault)
        end = "" if math.isinf(self.end) else f"{self.end:g}"
        return f"{self.fault}@{self.start:g}-{end}"


def read_timed_fault(text: str, seed: int = 0) -> TimedFault:
    """A fault of words such as ``image_mud``, ``no_scan@10-13``, ``image_hue:3@5-``.

    Args:
        text: a fault as of :func:`conegrad_evaluation.disturbances.fault.read_fault`; after an
            ``@`` when it begins and ends [s]; without an end it stays.
        seed: of its random draws.

    Raises:
        PipelineError: if no package registers the disturbance.
        ValueError: for another form, a severity or a parameter that it does not have.
    """
    words, _, times = text.partition("@")
    fault = read_fault(words, seed)
    if "@" not in text:
        return TimedFault(fault)
    first, dash, last = times.partition("-")
    try:
        start, end = float(first), float(last) if last else math.inf
    except ValueError:
        start, end = math.nan, math.nan
    if not (dash and 0.0 <= start < end):
        raise ValueError(f"fault is {text!r}, expected {FORM}, its start before its end [s]")
    return TimedFault(fault, start, end)
