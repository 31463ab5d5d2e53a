"""The gate on bags."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.settings import setting
from conegrad_evaluation.coverage.condition_space import ConditionSpace
from conegrad_evaluation.gate.budgets import Budgets
from conegrad_evaluation.gate.faults import DEFAULT, SILENT, read_faults
from conegrad_evaluation.gate.gate import GateResult, judge
from conegrad_evaluation.gate.golden_replay import GoldenReplay, Replay
from conegrad_evaluation.replay_settings import ReplaySettings, Shown
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System


@dataclass(frozen=True)
class GateSettings(ReplaySettings):
    """How bags are replayed, and under which disturbances both systems are compared."""

    disturbances: tuple[str, ...] = setting(
        DEFAULT,
        f"Disturbances: NAME, NAME:SEVERITY, {', '.join(SILENT)}",
        metavar="DISTURBANCE",
    )
    disturb_every: int = setting(4, "Disturb every Nth replayed frame, too", low=1)


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
    config = settings.evaluation
    faults = read_faults(settings.disturbances)
    systems = System(old), System(new)
    if any(len(s.pipeline.specification.inputs) < 2 for s in systems):
        faults = {name: fault for name, fault in faults.items() if name not in SILENT}
    replaying = GoldenReplay(*systems, config, faults, settings.disturb_every)
    replays = [_replay(replaying, bag, settings, shown) for bag in bags]
    return judge(replays, budgets or Budgets(), config, space or ConditionSpace())


def _replay(replaying: GoldenReplay, bag: Path, settings: GateSettings, shown: Shown) -> Replay:
    with settings.replayed(bag) as (samples, rows):
        read = shown(_read(samples, rows), len(rows), bag.name)
        return replaying.run(read, bag.name, samples.drive)


def _read(samples: BagReplay, rows: Iterable[int]) -> Iterator[Sample]:
    return (samples[row] for row in rows)
