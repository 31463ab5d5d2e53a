"""Alternating training whose turns follow what each network costs the system."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch

from conegrad_core.losses import EndLoss
from conegrad_evaluation.attribution.outcomes import outcome
from conegrad_evaluation.attribution.shapley import Coalition, shapley_shares
from conegrad_evaluation.attribution.substitution import Substitution
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.patterns.update import END, Update
from conegrad_training.systems.system import TrainableSystem, statistics_kept

SMOOTHING = 0.7  # share of the past in the running mean of a cost
LEAST_TURNS = 0.1  # of the turns of a network that costs nothing


@runtime_checkable
class SampleObserver(Protocol):
    """A pattern that looks at the samples of a step, not only at its losses."""

    def observe_samples(
        self,
        step: int,
        system: TrainableSystem,
        samples: Sequence[Sample],
        criterion: EndLoss,
    ) -> None:
        """Take note of what the system makes of the samples of a step that is done."""


class AttributedTurns:
    """One network per block of steps learns from the end loss, the costlier one more often.

    Every so many steps each network is replaced by its truth on the samples of the batch, alone and
    with others; the Shapley shares of the F1 with colour that this gains are the costs. A network
    gets as many turns as its share of the cost, and at least every tenth.
    """

    def __init__(
        self, networks: Sequence[str], block: int, every: int, along: frozenset[str]
    ) -> None:
        """Start with equal costs.

        Args:
            networks: that take turns.
            block: steps of a turn.
            every: steps between two attributions.
            along: stages that learn in every step.
        """
        self._networks, self._block = tuple(networks), block
        self._every, self._along = every, along
        self._costs = dict.fromkeys(self._networks, 1.0)
        self._credits = dict.fromkeys(self._networks, 0.0)
        self._has_costs = False
        self._turn = self._next()

    def update(self, step: int) -> Update:
        """The network whose turn it is, from the end loss."""
        waits = frozenset(self._networks) - {self._turn}
        return Update(self._along | {self._turn}, END, waits=waits)

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """After the last step of a block, choose who is next."""
        if (step + 1) % self._block == 0:
            self._turn = self._next()

    def observe_samples(
        self,
        step: int,
        system: TrainableSystem,
        samples: Sequence[Sample],
        criterion: EndLoss,
    ) -> None:
        """Measure the costs when it is time to."""
        if step % self._every == 0:
            self.take(network_costs(system, samples, criterion))

    def take(self, costs: Mapping[str, float]) -> None:
        """Take note of costs; the turns follow their running mean."""
        past = SMOOTHING if self._has_costs else 0.0
        for name in self._networks:
            cost = max(costs.get(name, 0.0), 0.0)
            self._costs[name] = past * self._costs[name] + (1 - past) * cost
        self._has_costs = True

    def shares(self) -> dict[str, float]:
        """Share of the turns of each network; they sum to 1."""
        total, count = sum(self._costs.values()), len(self._networks)
        if not total > 0:
            return dict.fromkeys(self._networks, 1 / count)
        least = min(LEAST_TURNS, 1 / count)
        rest = 1 - count * least
        return {name: least + rest * cost / total for name, cost in self._costs.items()}

    def _next(self) -> str:
        """The network that is farthest behind its share of the turns."""
        for name, share in self.shares().items():
            self._credits[name] += share
        turn = max(self._networks, key=lambda name: self._credits[name])
        self._credits[turn] -= 1
        return turn

    def state_dict(self) -> dict[str, Any]:
        """Whose turn it is, costs and credits."""
        return {
            "turn": self._turn,
            "costs": dict(self._costs),
            "credits": dict(self._credits),
            "has_costs": self._has_costs,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._turn, self._has_costs = state["turn"], state["has_costs"]
        self._costs, self._credits = dict(state["costs"]), dict(state["credits"])


def network_costs(
    system: TrainableSystem, samples: Sequence[Sample], criterion: EndLoss
) -> dict[str, float]:
    """What each network before the cones costs in F1 with colour: Shapley shares.

    The metric and not the loss that is minimised decides: in the sum of the terms a segmenter that
    is not sure weighs as much as a detector that is wrong.

    Args:
        system: in the mode of a training step; its statistics stay as they are.
        samples: of a batch.
        criterion: the end loss, whose range counts.
    """
    config = EvaluationConfig(max_range=criterion.config.max_range)
    truths = [system.truth(sample) for sample in samples]
    with torch.no_grad(), statistics_kept(system):
        substitution = Substitution(system, samples, [None] * len(samples))
        players = [name for name in substitution.players if name in system.end_networks]

        def score(perfect: Coalition) -> float:
            found = outcome(substitution.cones(perfect), truths, config).counts.f1_colour
            return 0.0 if math.isnan(found) else found

        shares = shapley_shares(players, score)
    return {name: float(share) for name, share in shares.items()}
