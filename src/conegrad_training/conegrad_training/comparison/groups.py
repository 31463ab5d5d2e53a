"""Results of one question, gathered over seeds."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from conegrad_training.comparison.confidence_interval import Spread, spread
from conegrad_training.comparison.results import RunResult
from conegrad_training.comparison.scenarios import SCENARIOS, Scenario


class Group(NamedTuple):
    """Runs that differ in their seed alone.

    Attributes:
        label: pattern, and what sets it apart from others of the scenario.
        results: one per seed.
    """

    label: str
    results: list[RunResult]

    def over_seeds(self, value: Callable[[RunResult], float]) -> Spread:
        """Spread of a value of each run."""
        return spread([value(result) for result in self.results])

    def metric(self, name: str) -> Spread:
        """Spread of a headline metric after training."""
        return self.over_seeds(lambda result: result.reached[name])

    def ahead_of(self, other: "Group") -> Spread | None:
        """Difference in f1_colour of runs with the same seed, whose drives are the same."""
        theirs = {result.seed: result.reached["f1_colour"] for result in other.results}
        found = [
            result.reached["f1_colour"] - theirs[result.seed]
            for result in self.results
            if result.seed in theirs
        ]
        return spread(found) if found else None


def groups_of(name: str, results: Sequence[RunResult], frames: int) -> list[Group]:
    """The groups of a scenario for which there are results, in the order of its patterns.

    Args:
        name: of the scenario.
        results: of all runs.
        frames: of 100 %.
    """
    scenario = SCENARIOS[name]
    own = [result for result in results if result.condition == scenario.condition]
    groups: dict[tuple[int, int, str], Group] = {}
    for result in own:
        key = _key(scenario, result, frames)
        if key is not None:
            group = groups.setdefault(key, Group(_label(scenario, result), []))
            group.results.append(result)
    return [groups[key] for key in sorted(groups)]


def is_answered(scenario: Scenario, groups: Sequence[Group]) -> bool:
    """Whether groups hold the runs that belong to a scenario and to no other."""
    if scenario.equal_cost:
        return any(group.results[0].paid_by for group in groups)
    counts = {group.results[0].frames for group in groups}
    return len(counts) > 1 if len(scenario.shares) > 1 else bool(groups)


def _key(scenario: Scenario, result: RunResult, frames: int) -> tuple[int, int, str] | None:
    """Place of a result in a scenario; None if it belongs to another question."""
    counts = {max(1, round(share * frames)) for share in scenario.shares}
    bought = scenario.equal_cost and result.pattern == "individual"
    if result.pattern not in scenario.patterns or bool(result.paid_by) != bought:
        return None
    if not result.paid_by and result.frames not in counts:
        return None
    size = 0 if result.paid_by else -result.frames
    return scenario.patterns.index(result.pattern), size, result.paid_by


def _label(scenario: Scenario, result: RunResult) -> str:
    label = result.pattern.replace("_", " ")
    if result.paid_by:
        return f"{label}, for as many {result.paid_by.replace('_', ' ')}"
    return f"{label}, {result.frames} frames" if len(scenario.shares) > 1 else label
