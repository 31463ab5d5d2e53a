"""Runs of one scenario, grouped over seeds."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from conegrad_training.comparison.confidence_interval import (
    ConfidenceInterval,
    confidence_interval,
)
from conegrad_training.comparison.results import RunResult
from conegrad_training.comparison.scenarios import SCENARIOS, Scenario

Key = tuple[tuple[int, bool, str], int, str]  # what groups are sorted by


class RunGroup(NamedTuple):
    """Runs that differ in their seed only.

    Attributes:
        label: pattern, with the number of frames or the label budget where groups differ in it.
        results: one per seed.
    """

    label: str
    results: list[RunResult]

    def over_seeds(self, value: Callable[[RunResult], float]) -> ConfidenceInterval:
        """Confidence interval of a value of each run."""
        return confidence_interval([value(result) for result in self.results])

    def metric(self, name: str) -> ConfidenceInterval:
        """Confidence interval of a headline metric after training."""
        return self.over_seeds(lambda result: result.after[name])

    def difference_to(self, other: "RunGroup") -> ConfidenceInterval | None:
        """Mean difference in f1_colour of runs with the same seed, which share their drives."""
        scores = {result.seed: result.after["f1_colour"] for result in other.results}
        differences = [
            result.after["f1_colour"] - scores[result.seed]
            for result in self.results
            if result.seed in scores
        ]
        return confidence_interval(differences) if differences else None


def groups_of(name: str, results: Sequence[RunResult], frames: int) -> list[RunGroup]:
    """Groups of a scenario that have results, in the order of its patterns.

    Args:
        name: of the scenario.
        results: of all runs.
        frames: training frames of a share of 100 %.
    """
    scenario = SCENARIOS[name]
    own = [result for result in results if result.condition == scenario.condition]
    groups: dict[Key, RunGroup] = {}
    for result in own:
        key = _key(scenario, result, frames)
        if key is not None:
            group = groups.setdefault(key, RunGroup(_label(scenario, result), []))
            group.results.append(result)
    return [groups[key] for key in sorted(groups)]


def has_own_runs(scenario: Scenario, groups: Sequence[RunGroup]) -> bool:
    """Whether groups hold runs that only this scenario asks for."""
    if scenario.equal_cost:
        return any(group.results[0].label_budget for group in groups)
    counts = {group.results[0].frames for group in groups}
    return len(counts) > 1 if len(scenario.shares) > 1 else bool(groups)


def _key(scenario: Scenario, result: RunResult, frames: int) -> Key | None:
    """Sort key of a result in a scenario; None for a result of another scenario."""
    counts = {max(1, round(share * frames)) for share in scenario.shares}
    budgeted = scenario.equal_cost and result.pattern == "individual"
    rank = scenario.rank(result.pattern)
    if rank is None or bool(result.label_budget) != budgeted:
        return None
    if not result.label_budget and result.frames not in counts:
        return None
    size = 0 if result.label_budget else -result.frames
    return rank, size, result.label_budget


def _label(scenario: Scenario, result: RunResult) -> str:
    label = result.pattern.replace("_", " ")
    if result.label_budget:
        return f"{label}, label budget: {result.label_budget.replace('_', ' ')}"
    return f"{label}, {result.frames} frames" if len(scenario.shares) > 1 else label
