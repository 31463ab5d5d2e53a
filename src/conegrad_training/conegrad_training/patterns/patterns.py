"""The training patterns: which stages learn in a step, and from which loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from conegrad_core.settings import Config, setting
from conegrad_training.patterns.attributed_turns import AttributedTurns
from conegrad_training.patterns.forking import (
    FEDERATED,
    MERGED,
    ForkConfig,
    ForkTurns,
    branch_weights,
    learning_branches,
    merged_update,
    system_fork,
)
from conegrad_training.patterns.update import END, NONE, SUPERVISED, Update
from conegrad_training.systems.system import TrainableSystem
from conegrad_training.systems.system_config import check_stages

PARTIAL, SIMULTANEOUS, ALTERNATING = "partial", "simultaneous", "alternating"
PATTERNS = (
    "individual",
    PARTIAL,
    SIMULTANEOUS,
    ALTERNATING,
    "fusion_only",
    "statistics_only",
    "individual_then_simultaneous",
    "individual_then_fusion_only",
)
ATTRIBUTION = "attribution"
SCHEDULES = ("round_robin", "worst_term", ATTRIBUTION)
SMOOTHING = 0.8  # share of the past in the running mean of a term


class Pattern(Protocol):
    """Decides, step by step, what learns. Its decisions depend on the past only."""

    def update(self, step: int) -> Update:
        """What step number ``step`` does."""

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """Take note of the terms of a step that is done."""

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""


@dataclass(frozen=True)
class PatternConfig(Config):
    """Which pattern, and its settings."""

    pattern: str = setting("simultaneous", "Training pattern", choices=PATTERNS)
    stages: tuple[str, ...] = setting(
        (), "Stages that learn, of the pattern partial", metavar="STAGE"
    )
    schedule: str = setting(
        "round_robin",
        "How the pattern alternating chooses the network that learns next",
        choices=SCHEDULES,
    )
    block: int = setting(1, "Steps of the pattern alternating before another network learns", low=1)
    attribute_every: int = setting(
        10, "Steps between two attributions of the schedule attribution", low=1
    )
    learn_fusion: bool = setting(True, "Train the scalars of the fusion along with the end loss")
    learn_calibration: bool = setting(
        False, "Train the mounting of the sensors along with the fusion"
    )
    first_steps: int = setting(
        75, "Steps of individual training, of the patterns individual_then_...", low=0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.stages) != (self.pattern == PARTIAL):
            expected = "one at least" if self.pattern == PARTIAL else "none"
            found = ", ".join(self.stages) or "none"
            raise self.refusal("stages", f"is {found}, expected {expected} for {self.pattern}")

    @property
    def needs_labels(self) -> bool:
        """Some step learns from the supervised losses of stages."""
        return self.pattern.startswith("individual")


class Constant:
    """The same update in every step: all patterns but the alternating one."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def update(self, step: int) -> Update:
        """What every step does."""
        return self._update

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """The past changes nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


class Alternating:
    """One network per block of steps learns from the end loss."""

    def __init__(
        self,
        networks: Sequence[str],
        terms: Mapping[str, Sequence[str]],
        schedule: str,
        block: int,
        along: frozenset[str],
    ) -> None:
        """Start with the first network.

        Args:
            networks: that take turns.
            terms: networks whose outputs each term of the end loss depends on.
            schedule: ``round_robin``: the networks take turns in their order; ``worst_term``: the
                next one, in that order, of those behind the largest term.
            block: steps of a turn.
            along: stages that learn in every step.
        """
        self._networks, self._behind = tuple(networks), dict(terms)
        self._schedule, self._block, self._along = schedule, block, along
        self._turn = self._networks[0]
        self._terms: dict[str, float] = {}

    def update(self, step: int) -> Update:
        """The network whose turn it is, from the end loss."""
        waits = frozenset(self._networks) - {self._turn}
        return Update(self._along | {self._turn}, END, waits=waits)

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """Note the terms; after the last step of a block, choose who is next."""
        for name, value in losses.items():
            before = self._terms.get(name, value)
            self._terms[name] = SMOOTHING * before + (1 - SMOOTHING) * value
        if (step + 1) % self._block == 0:
            self._turn = self._next()

    def _next(self) -> str:
        place = self._networks.index(self._turn)
        others = (*self._networks[place + 1 :], *self._networks[:place])
        candidates: Sequence[str] = self._networks
        if self._schedule == "worst_term" and self._behind:
            worst = max(self._behind, key=lambda name: self._terms.get(name, 0.0))
            candidates = self._behind[worst]
        return next((name for name in others if name in candidates), self._turn)

    def state_dict(self) -> dict[str, Any]:
        """Whose turn it is, and the running means of the terms."""
        return {"turn": self._turn, "terms": dict(self._terms)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._turn, self._terms = state["turn"], dict(state["terms"])


class InTurn:
    """One pattern up to a step, another one from there on."""

    def __init__(self, first: Pattern, then: Pattern, first_steps: int) -> None:
        self._patterns = (first, then)
        self._first_steps = first_steps

    def _at(self, step: int) -> Pattern:
        return self._patterns[step >= self._first_steps]

    def update(self, step: int) -> Update:
        """What the pattern does whose time it is."""
        return self._at(step).update(step)

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """The pattern whose step it was takes note."""
        self._at(step).observe(step, losses)

    def state_dict(self) -> dict[str, Any]:
        """The state of both."""
        return {"patterns": [pattern.state_dict() for pattern in self._patterns]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        for pattern, of_pattern in zip(self._patterns, state["patterns"], strict=True):
            pattern.load_state_dict(of_pattern)


def make_pattern(
    config: PatternConfig, system: TrainableSystem, fork: ForkConfig | None = None
) -> Pattern:
    """The pattern of the settings for the stages of a system.

    Args:
        config: the pattern.
        system: whose stages learn.
        fork: how a fork of it learns; None: the pattern alone decides.

    Raises:
        SettingError: if ``stages`` names none of the networks before the cones, or the fork
            strategy does not go with the pattern.
        ValueError: if the pipeline has no stage for the pattern.
    """
    fork = fork or ForkConfig()
    _check_fork(fork, config.pattern)
    networks, joins = system.end_networks, frozenset(system.end_joins)
    check_stages(config, "stages", config.stages, networks)
    along = joins if config.learn_fusion else frozenset()
    if config.pattern == ALTERNATING:
        _need(networks, ALTERNATING, "network before the cones", system)
        if config.schedule == ATTRIBUTION:
            return AttributedTurns(networks, config.block, config.attribute_every, along)
        return Alternating(
            networks, networks_behind_terms(system), config.schedule, config.block, along
        )
    all_networks = frozenset(system.pipeline.networks)
    updates = {
        "individual": Update(frozenset(system.supervised_stages), SUPERVISED),
        PARTIAL: Update(along | frozenset(config.stages), END),
        SIMULTANEOUS: Update(along | frozenset(networks), END),
        "fusion_only": Update(joins, END),
        "statistics_only": Update(frozenset(), NONE, all_networks),
    }
    names = config.pattern.split("_then_")
    if "fusion_only" in names:
        _need(joins, "fusion_only", "learned stage that joins", system)
    patterns: dict[str, Pattern] = {name: Constant(updates[name]) for name in names}
    if fork.fork_strategy:
        patterns[SIMULTANEOUS] = _fork_pattern(fork, system, learn_joins=config.learn_fusion)
    if len(names) > 1:
        first, then = patterns.values()
        return InTurn(first, then, config.first_steps)
    return patterns[config.pattern]


def _fork_pattern(config: ForkConfig, system: TrainableSystem, *, learn_joins: bool) -> Pattern:
    """The pattern of a fork strategy."""
    fork = system_fork(system, learn_joins=learn_joins)
    learning, weights = learning_branches(config, fork), branch_weights(config, fork)
    if config.fork_strategy == MERGED:
        return Constant(merged_update(fork, learning, weights))
    average_every = config.average_every if config.fork_strategy == FEDERATED else 0
    return ForkTurns(fork, learning, config.turn, average_every)


def _check_fork(fork: ForkConfig, pattern: str) -> None:
    """Refuse settings of a fork that would be of no effect."""
    if fork.fork_strategy and SIMULTANEOUS not in pattern:
        fault = f"is {fork.fork_strategy}, expected none for the pattern {pattern}"
        raise fork.refusal("fork_strategy", fault)
    if not fork.fork_strategy and (fork.branches or fork.branch_weights):
        field = "branches" if fork.branches else "branch_weights"
        raise fork.refusal(field, "is given without a fork_strategy, expected one")


def networks_behind_terms(system: TrainableSystem) -> dict[str, tuple[str, ...]]:
    """Networks whose outputs each term of the end loss depends on, by term."""
    stages = {name: system.pipeline.stage(name) for name in system.end_networks}
    terms = sorted({term for stage in stages.values() for term in stage.end_loss_terms})
    return {
        term: tuple(name for name, stage in stages.items() if term in stage.end_loss_terms)
        for term in terms
    }


def _need(
    stages: Sequence[str] | frozenset[str], pattern: str, what: str, system: TrainableSystem
) -> None:
    if not stages:
        source = system.pipeline.specification.source
        raise ValueError(f"{source} has no {what}, which the pattern {pattern} trains")
