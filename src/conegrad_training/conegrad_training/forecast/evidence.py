"""What a prediction is made of: oracle bounds, trials and the probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from conegrad_training.forecast.bounds import Oracle
from conegrad_training.forecast.scores import Scores
from conegrad_training.systems.system import TrainableSystem

OF_OPTIONS = ("tried", "along", "probed")  # scores of the evidence by option
MAX_NETWORKS = 4  # the oracle looks at every set of them

Components = frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """Scores on held-out samples.

    Attributes:
        networks: names of the networks before the cones.
        joins: names of the learned stages that join them.
        before: of the start.
        tried: of options that were trained over all steps, by their name.
        along: of every other option, with what learns along in it as the trials left that.
        probed: likewise, and with the networks that were not tried as the probe left them.
        perfect: of sets of perfect networks, joined as the trial of the fusion left it.
        shares: share of each stage in the gradient of the probe.
    """

    networks: tuple[str, ...]
    joins: tuple[str, ...]
    before: Scores
    tried: Mapping[str, Scores]
    along: Mapping[str, Scores]
    probed: Mapping[str, Scores]
    perfect: Mapping[Components, Scores]
    shares: Mapping[str, float]

    def gain(self, scores: Scores) -> float:
        """Gain of ``f1_colour`` over the start."""
        return scores.f1_colour - self.before.f1_colour

    def bound(self, components: Sequence[str]) -> float:
        """Gain of ``f1_colour`` with components perfect, 0 at least; NaN where it is not known."""
        found = self.perfect.get(frozenset(components))
        return max(self.gain(found), 0.0) if found else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "networks": list(self.networks),
            "joins": list(self.joins),
            "before": list(self.before),
            **{kind: _plain(getattr(self, kind)) for kind in OF_OPTIONS},
            "perfect": {" ".join(sorted(key)): list(v) for key, v in self.perfect.items()},
            "shares": dict(self.shares),
        }


def evidence_of(content: Mapping[str, Any]) -> Evidence:
    """The evidence of the plain values of :meth:`Evidence.to_dict`."""
    return Evidence(
        networks=tuple(content["networks"]),
        joins=tuple(content["joins"]),
        before=Scores(*content["before"]),
        **{kind: {k: Scores(*v) for k, v in content[kind].items()} for kind in OF_OPTIONS},
        perfect={frozenset(key.split()): Scores(*v) for key, v in content["perfect"].items()},
        shares=content["shares"],
    )


def oracle_scores(system: TrainableSystem, oracle: Oracle) -> dict[Components, Scores]:
    """Ask the oracle for what the prediction needs.

    Raises:
        ValueError: for a pipeline with too many networks.
    """
    networks = system.end_networks
    if len(networks) > MAX_NETWORKS:
        source = system.pipeline.specification.source
        raise ValueError(
            f"{source} has {len(networks)} networks before the cones, expected at most "
            f"{MAX_NETWORKS} for a forecast"
        )
    asked = [frozenset(chosen) for chosen in subsets(networks)]
    return {key: oracle.scores(key) for key in asked if key}


def subsets(names: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets, the empty one first."""
    return [chosen for size in range(len(names) + 1) for chosen in combinations(names, size)]


def _plain(scores: Mapping[str, Scores]) -> dict[str, list[float]]:
    return {name: list(values) for name, values in scores.items()}
