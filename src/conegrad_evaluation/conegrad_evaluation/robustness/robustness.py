"""Runs a system on bags under many disturbances, each at several severities."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from conegrad_core.cones import TrueCones
from conegrad_core.fusion.selection import select_cones
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.registry import registered
from conegrad_core.pipeline.seen_truth import seen_truth
from conegrad_core.settings import setting
from conegrad_evaluation.disturbances.disturbed import DisturbedSamples
from conegrad_evaluation.disturbances.fault import Fault, read_fault
from conegrad_evaluation.disturbances.registry import DISTURBANCES, exposed_to
from conegrad_evaluation.metrics.bootstrap import median_period
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult, match_frame
from conegrad_evaluation.port_metrics import MIN_EXISTENCE
from conegrad_evaluation.replay_settings import ReplaySettings, Shown, check_names
from conegrad_evaluation.robustness.partial_rerun import PartialRerun
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

ALL = "all"  # in place of faults: every disturbance at every severity


@dataclass(frozen=True)
class RobustnessSettings(ReplaySettings):
    """How bags are replayed, and under which disturbances."""

    disturbances: tuple[str, ...] = setting(
        (ALL,),
        "Disturbances: NAME, NAME:SEVERITY or NAME:PARAMETER=VALUE,...; all: every one that is "
        "installed",
        metavar="DISTURBANCE",
        aliases=("faults",),
    )
    seed: int = setting(0, "Seed of the random draws of disturbances")
    trained: tuple[str, ...] = setting(
        (),
        "Disturbances that the system was trained on; the mean over the other ones is given, too; "
        "empty: those of its record",
        metavar="NAME",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.trained:
            if name not in registered(DISTURBANCES):
                known = ", ".join(registered(DISTURBANCES))
                raise self.refusal("trained", f"has {name!r}, expected some of {known}")


@dataclass
class Robustness:
    """What a system made of the frames of bags, intact and under faults.

    Attributes:
        config: of the metrics.
        faults: in their order.
        clean: of each fault, by its text: matched cones of each intact frame. Where a fault takes
            a sensor away, truth is what the others could see.
        disturbed: of each fault, likewise, of each frame under it.
        drives: number of frames of each bag, by its name.
        periods: median time between two of them [s]; NaN for less than two.
    """

    config: EvaluationConfig
    faults: Sequence[Fault]
    clean: dict[str, list[FrameResult]] = field(default_factory=dict)
    disturbed: dict[str, list[FrameResult]] = field(default_factory=dict)
    drives: dict[str, int] = field(default_factory=dict)
    periods: dict[str, float] = field(default_factory=dict)


def chosen_faults(words: Sequence[str], pipeline: Pipeline, seed: int = 0) -> list[Fault]:
    """Faults of words, those that a pipeline is exposed to.

    Args:
        words: as of :class:`RobustnessSettings`.
        pipeline: of the system.
        seed: of the random draws.

    Raises:
        PipelineError: if no package registers a disturbance.
        ValueError: for another form, or a severity or parameter that there is not.
    """
    if tuple(words) == (ALL,):
        return [
            Fault(name, severity, seed=seed)
            for name, found in exposed_to(list(pipeline.specification.inputs.values())).items()
            for severity in range(1, len(found.severities) + 1)
        ]
    return [read_fault(word, seed) for word in words]


@torch.no_grad()
def measure_robustness(
    pipeline: Pipeline,
    bags: Sequence[Path],
    settings: RobustnessSettings | None = None,
    shown: Shown = lambda samples, total, title: samples,
) -> Robustness:
    """Run the frames of bags, each once intact and once under each fault.

    Args:
        pipeline: of the system.
        bags: with truth.
        settings: of the replay.
        shown: passes samples on and shows how far they are: samples, their number, a title.

    Raises:
        ReplayError: if a bag lacks images, scans, the calibration or truth.
        BagError: if a bag cannot be read.
        ValueError: if two bags have one name, or a setting is refused.
    """
    settings = settings or RobustnessSettings()
    check_names(bags)
    config = settings.evaluation
    system = System(pipeline).eval()
    faults = chosen_faults(settings.disturbances, pipeline, settings.seed)
    result = Robustness(config, faults)
    for fault in faults:
        result.clean[str(fault)], result.disturbed[str(fault)] = [], []
    for bag in bags:
        with settings.replayed(bag) as (samples, rows):
            result.drives[bag.name] = len(rows)
            read = shown((samples[row] for row in rows), len(rows), bag.name)
            variants = {str(fault): DisturbedSamples(samples, fault) for fault in faults}
            stamps = []
            for row, sample in zip(rows, read, strict=True):
                stamps.append(sample.key.stamp_ns)
                changed = ((text, of_bag.at(row, sample)) for text, of_bag in variants.items())
                _take(result, system, sample, changed)
            result.periods[bag.name] = median_period(stamps)
    return result


def _take(
    result: Robustness, system: System, sample: Sample, variants: Iterable[tuple[str, Sample]]
) -> None:
    """One frame, intact and under each fault; one variant at a time is in memory."""
    rerun = PartialRerun(system, sample)
    kinds = system.pipeline.specification.inputs
    intact = select_cones(rerun.cones, MIN_EXISTENCE)
    of_intact: dict[tuple[str, ...], tuple[TrueCones, FrameResult]] = {}  # by what sees
    for fault, changed in variants:
        seeing = tuple(kind for port, kind in kinds.items() if changed.inputs.get(port) is not None)
        if seeing not in of_intact:
            truth = seen_truth(sample.truth, seeing)
            of_intact[seeing] = truth, match_frame(intact, truth, result.config)
        truth, matched = of_intact[seeing]
        result.clean[fault].append(matched)
        selected = select_cones(rerun.cones_of(changed), MIN_EXISTENCE)
        result.disturbed[fault].append(match_frame(selected, truth, result.config))
