"""Disturbances of the gate: faults of samples, and sensors that are silent."""

from collections.abc import Mapping, Sequence

from conegrad_evaluation.disturbances.disturbance import TIME
from conegrad_evaluation.disturbances.disturbed import disturbed
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.gate.golden_replay import Disturb
from conegrad_evaluation.samples.sample import Sample

SILENT: Mapping[str, str] = {"no_image": "image", "no_scan": "scan"}  # input that is missing
DEFAULT = ("image_darkness", "image_motion_blur", "scan_dropped_beams", *SILENT)


def read_faults(words: Sequence[str]) -> dict[str, Disturb]:
    """Disturbances of words: names of :data:`SILENT`, or what ``read_fault`` takes.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for another form, or a fault of time: one sample alone has no other image.
    """
    found: dict[str, Disturb] = {}
    for word in words:
        if word in SILENT:
            found[word] = _silent(SILENT[word])
            continue
        fault = read_fault(word)
        if fault.disturbance.acts_on == TIME:
            raise ValueError(f"disturbance {word} shifts stamps, which the gate cannot do")
        found[str(fault)] = _faulty(fault)
    return found


def _silent(port: str) -> Disturb:
    return lambda sample: _without(sample, port)


def _faulty(fault: Fault) -> Disturb:
    return lambda sample: disturbed(sample, fault)


def _without(sample: Sample, port: str) -> Sample:
    return sample._replace(inputs={**sample.inputs, port: None})
