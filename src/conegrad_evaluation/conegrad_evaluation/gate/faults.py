"""Disturbances of the gate: faults of samples, and sensors that are silent."""

from collections.abc import Sequence

from conegrad_evaluation.disturbances.disturbance import STREAMS, TIME
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.gate.golden_replay import Disturb

SILENT = ("no_image", "no_scan")  # disturbances that leave a sensor out
DEFAULT = ("image_darkness", "image_motion_blur", "scan_dropped_beams", *SILENT)


def read_faults(words: Sequence[str]) -> dict[str, Disturb]:
    """Disturbances of words that ``read_fault`` takes; a silent sensor goes by its word.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for another form, or a fault of time: one sample alone has no other image.
    """
    found: dict[str, Disturb] = {}
    for word in words:
        fault = read_fault(word)
        if fault.disturbance.acts_on in (TIME, *STREAMS):
            raise ValueError(f"disturbance {word} shifts stamps, which the gate cannot do")
        found[word if fault.disturbance.takes_away else str(fault)] = _faulty(fault)
    return found


def _faulty(fault: Fault) -> Disturb:
    return lambda sample: disturbed(sample, fault)
