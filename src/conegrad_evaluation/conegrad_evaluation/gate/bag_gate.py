"""The gate on bags."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.bag_evaluation import MATCH_DISTANCE, MAX_RANGE
from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.faults import DEFAULT, SILENT, read_faults
from conegrad_evaluation.gate.gate import GateResult, judge
from conegrad_evaluation.gate.golden_replay import GoldenReplay, Replay
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System

Shown = Callable[[Iterable[Sample], int, str], Iterable[Sample]]


@dataclass(frozen=True)
class GateSettings(Config):
    """How bags are replayed."""

    track: str = setting("", "Map of the cones of all bags, CSV (default: truth of each bag)")
    vehicle: str = setting("", "Preset by name or file: calibration, bounds of the evaluation")
    every: int = setting(1, "Of so many frames one is replayed", low=1)
    disturbances: tuple[str, ...] = setting(
        DEFAULT,
        f"Faults under which both are compared: NAME, NAME:SEVERITY, {', '.join(SILENT)}",
        metavar="FAULT",
    )
    disturb_every: int = setting(4, "Of so many replayed frames one is also disturbed", low=1)
    max_range: float | None = setting(
        None, "Truth beyond is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None, "Farthest match [m] (default: of the vehicle)", low=1e-6
    )


def gate_bags(
    old: Pipeline,
    new: Pipeline,
    bags: Sequence[Path],
    settings: GateSettings | None = None,
    budgets: Budgets | None = None,
    space: ConditionSpace | None = None,
    shown: Shown = lambda samples, total, title: samples,
) -> GateResult:
    """Replay bags through two pipelines and decide whether the new one is promoted.

    Args:
        old: pipeline in use.
        new: pipeline that may replace it.
        bags: golden drives with truth.
        settings: of the replay.
        budgets: of the team.
        space: conditions that shall be tested.
        shown: passes samples on and shows how far they are: samples, their number, a title.

    Raises:
        ReplayError: if a bag lacks images, scans, the calibration or truth.
        BagError: if a bag cannot be read.
        ValueError: if two bags have one name, or a setting is refused.
    """
    settings = settings or GateSettings()
    config = evaluation_config(settings)
    faults = read_faults(settings.disturbances)
    systems = System(old), System(new)
    if any(len(s.pipeline.specification.inputs) < 2 for s in systems):
        faults = {name: fault for name, fault in faults.items() if name not in SILENT}
    replaying = GoldenReplay(*systems, config, faults, settings.disturb_every)
    replays = [_replay(replaying, bag, settings, shown) for bag in bags]
    return judge(replays, budgets or Budgets(), config, space or ConditionSpace())


def evaluation_config(settings: GateSettings) -> EvaluationConfig:
    """Settings of the metrics: those given, else of the vehicle, else as ``evaluate`` has them."""
    bounds = load_vehicle(settings.vehicle).evaluation if settings.vehicle else None
    return EvaluationConfig(
        match_distance=settings.match_distance
        or (bounds.match_distance if bounds else MATCH_DISTANCE),
        max_range=settings.max_range or (bounds.max_range if bounds else MAX_RANGE),
    )


def _replay(replaying: GoldenReplay, bag: Path, settings: GateSettings, shown: Shown) -> Replay:
    samples = BagReplay(
        bag,
        track=settings.track or None,
        vehicle=load_vehicle(settings.vehicle) if settings.vehicle else None,
    )
    rows = range(0, len(samples), settings.every)
    try:
        read = shown(_read(samples, rows), len(rows), bag.name)
        return replaying.run(read, bag.name, samples.drive)
    finally:
        samples.close()


def _read(samples: BagReplay, rows: Iterable[int]) -> Iterator[Sample]:
    return (samples[row] for row in rows)
