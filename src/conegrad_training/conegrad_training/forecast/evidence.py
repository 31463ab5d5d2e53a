"""What a prediction is made of: oracle bounds and the probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from conegrad_training.forecast.bounds import Oracle
from conegrad_training.forecast.probe import ProbeResult
from conegrad_training.forecast.scores import Scores
from conegrad_training.systems.system import TrainableSystem

CALIBRATION = "calibration"  # perfect: without the errors that the samples show
MAX_NETWORKS = 4  # the oracle looks at every set of them

Components = frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """Scores on held-out samples.

    Attributes:
        networks: names of the networks before the cones.
        joins: names of the learned stages that join them.
        before: of the start.
        after: of each option after the probe, by its name.
        perfect: of sets of perfect components.
        shares: share of each stage in the gradient of the probe.
    """

    networks: tuple[str, ...]
    joins: tuple[str, ...]
    before: Scores
    after: Mapping[str, Scores]
    perfect: Mapping[Components, Scores]
    shares: Mapping[str, float]

    def bound(self, components: Sequence[str]) -> float:
        """Gain of ``f1_colour`` with components perfect, 0 at least; NaN where it is not known."""
        found = self.perfect.get(frozenset(components))
        return max(found.f1_colour - self.before.f1_colour, 0.0) if found else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "networks": list(self.networks),
            "joins": list(self.joins),
            "before": list(self.before),
            "after": {name: list(scores) for name, scores in self.after.items()},
            "perfect": {" ".join(sorted(key)): list(v) for key, v in self.perfect.items()},
            "shares": dict(self.shares),
        }


def evidence_of(content: Mapping[str, Any]) -> Evidence:
    """The evidence of the plain values of :meth:`Evidence.to_dict`."""
    return Evidence(
        tuple(content["networks"]),
        tuple(content["joins"]),
        Scores(*content["before"]),
        {name: Scores(*values) for name, values in content["after"].items()},
        {frozenset(key.split()): Scores(*v) for key, v in content["perfect"].items()},
        content["shares"],
    )


def gather(system: TrainableSystem, found: ProbeResult, oracle: Oracle) -> Evidence:
    """Ask the oracle for what the prediction needs.

    Raises:
        ValueError: for a pipeline with too many networks.
    """
    networks, joins = system.end_networks, system.end_joins
    if len(networks) > MAX_NETWORKS:
        source = system.pipeline.specification.source
        raise ValueError(
            f"{source} has {len(networks)} networks before the cones, expected at most "
            f"{MAX_NETWORKS} for a forecast"
        )
    asked = [frozenset(chosen) for chosen in subsets(networks)]
    asked += [frozenset(joins), frozenset({CALIBRATION})]
    perfect = {key: oracle.scores(key) for key in asked if key}
    return Evidence(networks, joins, found.before, found.after, perfect, found.shares)


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, the empty one first."""
    return [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]
