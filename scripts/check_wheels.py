"""Say which pinned packages have no wheel for a machine, by default the ARM computer of a car.

It asks the package index that uv is set up with, and installs nothing:

    scripts/run.sh python scripts/check_wheels.py
"""

import argparse
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parents[1] / "requirements" / "requirements.txt"
UBUNTU = "manylinux_2_39"  # the C library of Ubuntu 24.04
AT_ONCE = 4  # questions to the index
FROM_APT = "ros-"  # its wheels are for `make setup` alone: on a car ROS comes from apt


def pins(text: str, machine: str, python: str) -> list[Requirement]:
    """Pinned requirements that apply to a Linux machine, less those that apt brings.

    Args:
        text: of the compiled requirements.
        machine: as ``platform.machine()`` names it.
        python: version, with two numbers.
    """
    environment = {
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "python_version": python,
        "python_full_version": f"{python}.3",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    found = [Requirement(line) for line in lines if not line.startswith(FROM_APT)]
    return [pin for pin in found if pin.marker is None or pin.marker.evaluate(environment)]


def has_wheel(pin: Requirement, machine: str, python: str) -> bool:
    """Whether the index has a wheel of exactly this version.

    Raises:
        RuntimeError: if uv could not ask.
    """
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps",
                "--target", target, "--only-binary", ":all:",
                "--python-platform", f"{machine}-{UBUNTU}", "--python-version", python,
                f"{pin.name}{pin.specifier}",
            ],
            capture_output=True,
            text=True,
        )  # fmt: skip
    if done.returncode and "No solution found" not in done.stderr:
        raise RuntimeError(f"uv could not ask for {pin}: {done.stderr.strip()}")
    return done.returncode == 0


def missing(found: list[Requirement], machine: str, python: str) -> list[Requirement]:
    """Those without a wheel for the machine."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda pin: has_wheel(pin, machine, python), found))
    return [pin for pin, answer in zip(found, answers, strict=True) if not answer]


def main() -> int:
    """Exit code 1 if a package has wheels, but none for the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", default="aarch64", help="as platform.machine() names it")
    parser.add_argument("--python", default="3.12", help="version of Python")
    parser.add_argument("--requirements", type=Path, default=REQUIREMENTS)
    options = parser.parse_args()

    found = pins(options.requirements.read_text(), options.machine, options.python)
    lacking = missing(found, options.machine, options.python)
    sources = {pin.name for pin in missing(lacking, "x86_64", options.python)}
    place = f"{options.machine}, Python {options.python}"
    for pin in lacking:
        what = "comes as source alone" if pin.name in sources else "has no wheel"
        print(f"{pin.name}{pin.specifier} {what} for {place}")
    print(f"{len(found) - len(lacking)} of {len(found)} packages have a wheel for {place}")
    return 1 if len(sources) < len(lacking) else 0


if __name__ == "__main__":
    sys.exit(main())
