"""Disturbances of training samples: a share of them, drawn anew in every epoch.

A sample is disturbed when it is read, before it is augmented, by the code that the measurement of
robustness uses. Truth and labels stay. All draws are a pure function of the seed and the place in
the run, so that a run can resume.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch.utils.data import ConcatDataset, Dataset, Subset

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.settings import Config, setting
from conegrad_core.system_record.location import find_record
from conegrad_core.system_record.record import SystemRecord
from conegrad_data.errors import ReplayError
from conegrad_evaluation.disturbances.disturbance import TIME
from conegrad_evaluation.disturbances.disturbed import DisturbedSamples, disturbed
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.disturbances.registry import disturbances, exposed_to
from conegrad_evaluation.samples.sample import Sample

logger = logging.getLogger(__name__)

ALL = "all"  # in place of names: every disturbance that a pipeline is exposed to
SEEDS = 2**32  # of the draws within one sample


@dataclass(frozen=True)
class DisturbanceConfig(Config):
    """Which training samples are disturbed, and how."""

    disturbances: tuple[str, ...] = setting(
        (),
        "Disturbances (of training samples): NAME, NAME:SEVERITY, NAME:PARAMETER=VALUE,... or all; "
        "empty: none",
        metavar="DISTURBANCE",
    )
    disturbed_share: float = setting(
        0.5, "Share of training samples with one of --disturbances", low=0.0, high=1.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if ALL in self.disturbances and len(self.disturbances) > 1:
            words = " ".join(self.disturbances)
            raise self.refusal("disturbances", f"is {words}, expected {ALL} by itself, or names")
        for word in self.disturbances if ALL not in self.disturbances else ():
            try:
                read_fault(word)
            except (PipelineError, ValueError) as error:
                raise self.refusal("disturbances", f"has {word!r}: {error}") from error


def trained_disturbances(reference: str) -> tuple[str, ...]:
    """Names of the disturbances that a recorded system saw in the training that made it.

    Args:
        reference: of a record, or a pipeline, which no training is known of.

    Raises:
        FileNotFoundError: if a path is no record.
        RecordError: if the store has no such record, or it was changed.
    """
    folder = find_record(reference)
    if folder is None:
        return ()
    settings = SystemRecord(folder).entry.description.settings.get("disturbance", {})
    words = settings.get("disturbances", ())
    if ALL in words:
        return tuple(disturbances())
    return tuple(dict.fromkeys(word.partition(":")[0] for word in words))


class Place(NamedTuple):
    """Where a sample of nested data sets lies.

    Attributes:
        samples: the recording, or what makes the sample.
        position: in it.
    """

    samples: Any
    position: int


class DisturbedTraining:
    """The samples of a run, of which a share is disturbed."""

    def __init__(
        self, samples: Dataset[Sample], config: DisturbanceConfig, kinds: Sequence[str], seed: int
    ) -> None:
        """Choose the disturbances.

        Args:
            samples: intact ones, of one or several recordings.
            config: which disturbances. Of ``all``, those of time are left out where samples are
                of no recording.
            kinds: of the inputs of the pipeline.
            seed: of the draws.

        Raises:
            PipelineError: if a disturbance cannot be loaded.
            ValueError: if one that is named needs a recording and the samples are of none, or the
                pipeline is not exposed to it.
        """
        self._samples, self._share, self._seed = samples, config.disturbed_share, seed
        exposed = exposed_to(kinds)
        takes_all = config.disturbances == (ALL,)
        words = tuple(exposed) if takes_all else config.disturbances
        faults = [read_fault(word) for word in words]
        for fault in faults:
            if fault.name not in exposed:
                raise ValueError(
                    f"disturbances has {fault.name}, which acts on {fault.disturbance.acts_on}; "
                    f"the pipeline has the inputs {', '.join(kinds)}, expected one of "
                    f"{', '.join(exposed)}"
                )
        if untimed := [each for each in sources(samples) if not hasattr(each, "with_late_stamps")]:
            timed = [fault for fault in faults if fault.disturbance.acts_on == TIME]
            found = f"{', '.join(fault.name for fault in timed)} need samples of recordings"
            if timed and not takes_all:
                raise ValueError(
                    f"disturbances {found} (with_late_stamps, as of BagReplay), found "
                    f"{type(untimed[0]).__name__}"
                )
            if timed:
                logger.warning("disturbances: all but %s, and these are of none", found)
            faults = [fault for fault in faults if fault not in timed]
        self.faults: Sequence[Fault] = faults

    def fault(self, place: int) -> Fault | None:
        """The fault of the sample at a place of the sequence of epochs; None: it stays intact."""
        draws = np.random.default_rng((self._seed, place, 0xD157))
        if not self.faults or draws.random() >= self._share:
            return None
        chosen = self.faults[int(draws.integers(len(self.faults)))]
        severity = chosen.severity
        if not severity and not chosen.given:
            severity = 1 + int(draws.integers(len(chosen.disturbance.severities)))
        return Fault(chosen.name, severity, chosen.given, int(draws.integers(SEEDS)))

    def sample(self, position: int, place: int) -> Sample:
        """The sample at a position, disturbed as its place in the sequence of epochs has it.

        A fault of time leaves the first and last samples of a recording as they are where the
        odometry does not know the motion by the wrong stamps.
        """
        fault = self.fault(place)
        samples, within = place_of(self._samples, position)
        sample: Sample = samples[within]
        if fault is None:
            return sample
        if fault.disturbance.acts_on != TIME:
            return disturbed(sample, fault)
        try:
            return DisturbedSamples(samples, fault).at(within, sample)
        except ReplayError as error:
            logger.debug("%s stays without %s: %s", sample.key, fault, error)
            return sample


def place_of(samples: Any, position: int) -> Place:
    """The recording, or what makes the sample, behind joined data sets and choices of them."""
    if isinstance(samples, Subset):
        return place_of(samples.dataset, samples.indices[position])
    if isinstance(samples, ConcatDataset):
        number = int(np.searchsorted(samples.cumulative_sizes, position, side="right"))
        before = samples.cumulative_sizes[number - 1] if number else 0
        return place_of(samples.datasets[number], position - before)
    return Place(samples, position)


def sources(samples: Any) -> list[Any]:
    """Every recording, or what makes the samples, behind joined data sets and choices of them."""
    if isinstance(samples, Subset):
        return sources(samples.dataset)
    if isinstance(samples, ConcatDataset):
        return [source for joined in samples.datasets for source in sources(joined)]
    return [samples]
