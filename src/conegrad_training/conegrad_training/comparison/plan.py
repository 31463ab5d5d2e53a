"""Which runs answer the questions of a comparison."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conegrad_training.comparison.scenarios import SCENARIOS, Scenario


class PlannedRun(NamedTuple):
    """A run by what sets it apart; runs that several scenarios ask for are made once.

    Attributes:
        condition: of :data:`conegrad_training.comparison.scenarios.CONDITIONS`.
        seed: of the training drives, their order and augmentation.
        pattern: that trains.
        frames: to learn from; 0 where ``paid_by`` decides.
        paid_by: individual training gets as many frames as these label values of simultaneous
            training pay for: ``map_values`` or ``frame_values``; empty: any cost.
    """

    condition: str
    seed: int
    pattern: str
    frames: int
    paid_by: str = ""

    @property
    def name(self) -> str:
        """Of its folder."""
        amount = f"for_{self.paid_by}" if self.paid_by else f"{self.frames:05d}"
        return f"{self.pattern}_{amount}_seed{self.seed}"


def planned_runs(
    scenarios: Sequence[str], patterns: Sequence[str], seeds: Sequence[int], frames: int
) -> list[PlannedRun]:
    """All runs, those of one condition and seed together; each once.

    Args:
        scenarios: names of :data:`~conegrad_training.comparison.scenarios.SCENARIOS`.
        patterns: that are wanted; a scenario runs those of them that it knows. Empty: all.
        seeds: of training drives, order and augmentation.
        frames: of 100 %.

    Raises:
        ValueError: for an unknown scenario or pattern, or without seeds.
    """
    for name in scenarios:
        if name not in SCENARIOS:
            raise ValueError(f"scenario is {name!r}, expected one of {tuple(SCENARIOS)}")
    known = {pattern for name in SCENARIOS for pattern in SCENARIOS[name].patterns}
    for pattern in patterns:
        if pattern not in known:
            raise ValueError(f"pattern is {pattern!r}, expected one of {tuple(sorted(known))}")
    if not seeds:
        raise ValueError("seeds is empty, expected at least one")
    runs = {
        run: None
        for name in scenarios
        for seed in seeds
        for run in _runs_of(SCENARIOS[name], patterns, seed, frames)
    }
    order = {condition: rank for rank, condition in enumerate(dict.fromkeys(r[0] for r in runs))}
    return sorted(runs, key=lambda run: (order[run.condition], run.seed))


def _runs_of(
    scenario: Scenario, patterns: Sequence[str], seed: int, frames: int
) -> Iterable[PlannedRun]:
    for share in scenario.shares:
        count = max(1, round(share * frames))
        for pattern in scenario.patterns:
            if patterns and pattern not in patterns:
                continue
            if scenario.equal_cost and pattern == "individual":
                for values in ("map_values", "frame_values"):
                    yield PlannedRun(scenario.condition, seed, pattern, 0, values)
            else:
                yield PlannedRun(scenario.condition, seed, pattern, count)
