"""Applies faults to samples."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from conegrad_core.lidar.scan import Scan
from conegrad_core.pipeline.registry import port_type
from conegrad_evaluation.disturbances.disturbance import (
    CALIBRATION,
    MOTION,
    STREAMS,
    TIME,
    Disturbance,
)
from conegrad_evaluation.disturbances.fault import Fault
from conegrad_evaluation.disturbances.time import TimedSamples, delay
from conegrad_evaluation.samples.sample import Sample


def disturbed(sample: Sample, *faults: Fault) -> Sample:
    """A sample with some faults; it is a pure function of its arguments.

    Args:
        sample: is not changed; its truth and labels stay as they are.
        faults: applied in their order.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for a fault of time (it needs the recording: :class:`DisturbedSamples`), or if
            the sample has nothing that the fault acts on.
    """
    for fault in faults:
        sample = _damaged(sample, fault)
    return sample


class DisturbedSamples(Dataset[Sample]):
    """The samples of a recording with some faults."""

    def __init__(self, samples: Sequence[Sample] | TimedSamples, *faults: Fault) -> None:
        """Choose the faults.

        Args:
            samples: intact ones; faults of time need :class:`TimedSamples`, such as a
                :class:`~conegrad_evaluation.samples.bag_replay.BagReplay`.
            faults: at most one of time, which is applied first; the others in their order.

        Raises:
            PipelineError: if no package registers a disturbance.
            ValueError: if the samples cannot be shifted in time, or two faults do so.
        """
        self._samples = samples
        self._late = [fault for fault in faults if fault.disturbance.acts_on == TIME]
        self._others = tuple(fault for fault in faults if fault not in self._late)
        if len(self._late) > 1:
            both = " and ".join(str(fault) for fault in self._late)
            raise ValueError(f"faults of time are {both}, expected at most one")
        if self._late and not hasattr(samples, "with_late_stamps"):
            raise ValueError(
                f"{self._late[0]} needs samples of a recording (with_late_stamps, as of "
                f"BagReplay), found {type(samples).__name__}"
            )

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, position: int) -> Sample:
        """Disturbed sample at a position."""
        if not 0 <= position < len(self):
            raise IndexError(f"sample is {position}, expected 0 to {len(self) - 1}")
        return self.at(position, self._samples[position])

    def at(self, position: int, sample: Sample) -> Sample:
        """Disturbed sample at a position, made of the intact one, which was read before."""
        if self._late:
            seconds = delay(self._late[0].parameters, _draws(self._late[0], sample))
            timed: Any = self._samples
            sample = timed.with_late_stamps(position, seconds)
        return disturbed(sample, *self._others)

    def __iter__(self) -> Iterator[Sample]:
        """Every disturbed sample in order."""
        return (self[position] for position in range(len(self)))


def _damaged(sample: Sample, fault: Fault) -> Sample:
    found, parameters = fault.disturbance, fault.parameters
    draws = _draws(fault, sample)
    if found.damage is None:
        raise ValueError(
            f"{fault} acts on {TIME}, and one sample alone has no other image; expected "
            "DisturbedSamples of a recording"
        )
    if found.acts_on in STREAMS:
        raise ValueError(
            f"{fault} acts on the {found.acts_on}, and a sample has none; expected a running graph "
            "(conegrad robustness --live --no-figures)"
        )
    if found.acts_on == CALIBRATION:
        context = sample.context
        if context.calibration is None:
            raise ValueError(f"{sample.key} has no calibration, and {fault} acts on it")
        calibration = found.damage(context.calibration, parameters, draws)
        return sample._replace(context=context._replace(calibration=calibration))
    if found.acts_on == MOTION:
        return _with_motion(sample, found.damage(sample.context.motion, parameters, draws))
    ports = _ports_of_kind(sample, found)
    damaged = {port: found.damage(sample.inputs[port], parameters, draws) for port in ports}
    return sample._replace(inputs={**sample.inputs, **damaged})


def _with_motion(sample: Sample, motion: Tensor | None) -> Sample:
    """A sample with another motion between its sensors; None: within its scans neither."""
    inputs = sample.inputs
    if motion is None:
        inputs = {
            port: value._replace(motions=None) if isinstance(value, Scan) else value
            for port, value in inputs.items()
        }
    return sample._replace(inputs=inputs, context=sample.context._replace(motion=motion))


def _ports_of_kind(sample: Sample, disturbance: Disturbance) -> list[str]:
    """Inputs of a sample that a disturbance acts on.

    Raises:
        ValueError: if there is none.
    """
    container = port_type(disturbance.acts_on).container
    found = [port for port, value in sample.inputs.items() if isinstance(value, container)]
    if not found:
        known = ", ".join(f"{k} ({type(v).__name__})" for k, v in sample.inputs.items())
        raise ValueError(
            f"{sample.key} has the inputs {known}, expected one of kind {disturbance.acts_on} for "
            f"{disturbance.name}"
        )
    return found


def _draws(fault: Fault, sample: Sample) -> np.random.Generator:
    """Random draws of a fault in one sample, the same in every process."""
    place = zlib.crc32(f"{fault.name} {sample.key.bag}".encode())
    return np.random.default_rng((fault.seed, place, sample.key.frame))
