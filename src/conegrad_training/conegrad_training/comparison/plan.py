"""The runs that the scenarios of a comparison need."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conegrad_core.jobs.runner import split_evenly
from conegrad_core.settings.names import choice_fault
from conegrad_training.comparison.scenarios import (
    CAR,
    CONDITIONS,
    SCENARIOS,
    Scenario,
    fork_pattern,
)


class PlannedRun(NamedTuple):
    """What identifies a run; a run that several scenarios need is made once.

    Attributes:
        condition: name of a condition of :data:`conegrad_training.comparison.scenarios.CONDITIONS`.
        seed: of the training drives, their order and augmentation.
        pattern: training pattern.
        frames: training frames; 0 where the label budget decides.
        label_budget: individual training gets as many frames as these label values of
            simultaneous training pay for: ``map_values`` or ``frame_values``; empty: no limit.
    """

    condition: str
    seed: int
    pattern: str
    frames: int
    label_budget: str = ""

    @property
    def name(self) -> str:
        """Name of its folder."""
        amount = f"for_{self.label_budget}" if self.label_budget else f"{self.frames:05d}"
        return f"{self.pattern}_{amount}_seed{self.seed}"


def planned_runs(
    scenarios: Sequence[str],
    patterns: Sequence[str],
    seeds: Sequence[int],
    frames: int,
    *,
    networks: Sequence[str] = CAR,
    fork_strategies: Sequence[str] = (),
) -> list[PlannedRun]:
    """All runs, sorted by condition and seed; each once.

    Args:
        scenarios: names of :data:`~conegrad_training.comparison.scenarios.SCENARIOS`.
        patterns: to run; a scenario runs those of them that it lists. Empty: all.
        seeds: each of training drives, order and augmentation.
        frames: training frames of a share of 100 %.
        networks: of the pipeline, that reach the cones.
        fork_strategies: that simultaneous training follows in runs of their own.

    Raises:
        ValueError: for an unknown scenario, pattern or strategy, or without seeds.
    """
    for name in scenarios:
        if name not in SCENARIOS:
            raise ValueError(f"scenario {choice_fault(name, SCENARIOS)}")
    known = {p for name in SCENARIOS for p in SCENARIOS[name].patterns_for(networks)}
    for pattern in patterns:
        if pattern not in known:
            raise ValueError(f"pattern {choice_fault(pattern, sorted(known))}")
    if not seeds:
        raise ValueError("seeds is empty, expected at least one")
    forks = tuple(fork_pattern(strategy) for strategy in fork_strategies)
    runs = {
        run: None
        for name in scenarios
        for seed in seeds
        for run in _runs_of(
            SCENARIOS[name], _patterns(SCENARIOS[name], patterns, networks, forks), seed, frames
        )
    }
    order = {condition: rank for rank, condition in enumerate(dict.fromkeys(r[0] for r in runs))}
    return sorted(runs, key=lambda run: (order[run.condition], run.seed))


def split_runs(runs: Sequence[PlannedRun], workers: int) -> list[Sequence[PlannedRun]]:
    """Runs that share rendered drives, in as many parts as keep all workers busy.

    Args:
        runs: as of :func:`planned_runs`.
        workers: that work at once.
    """
    groups = [
        list(group)
        for _, group in itertools.groupby(
            runs, key=lambda run: (CONDITIONS[run.condition].domain, run.seed)
        )
    ]
    each = -(-workers // max(1, len(groups)))
    return [part for group in groups for part in split_evenly(group, each)]


def _patterns(
    scenario: Scenario, chosen: Sequence[str], networks: Sequence[str], forks: Sequence[str]
) -> list[str]:
    """Patterns of a scenario that are run, those of fork strategies at the end."""
    own = [p for p in scenario.patterns_for(networks) if not chosen or p in chosen]
    return own + [pattern for pattern in forks if scenario.rank(pattern) is not None]


def _runs_of(
    scenario: Scenario, patterns: Sequence[str], seed: int, frames: int
) -> Iterable[PlannedRun]:
    for share in scenario.shares:
        count = max(1, round(share * frames))
        for pattern in patterns:
            if scenario.equal_cost and pattern == "individual":
                for values in ("map_values", "frame_values"):
                    yield PlannedRun(scenario.condition, seed, pattern, 0, values)
            else:
                yield PlannedRun(scenario.condition, seed, pattern, count)
