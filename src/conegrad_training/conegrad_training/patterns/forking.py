"""Forking strategies: how a model that several branches read from learns with all of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from conegrad_core.losses import TERMS
from conegrad_core.pipeline.pattern import Fork, forks_of
from conegrad_core.settings import Config, setting
from conegrad_training.patterns.update import BRANCHES, Update
from conegrad_training.systems.system import TrainableSystem
from conegrad_training.systems.system_config import by_stage, check_stages

ALTERNATING, MERGED, FEDERATED = "alternating", "merged", "federated"
STRATEGIES = ("", ALTERNATING, MERGED, FEDERATED)


@dataclass(frozen=True)
class ForkConfig(Config):
    """How a fork learns; a branch is called by its first network."""

    fork_strategy: str = setting(
        "", "How a fork learns; empty: the pattern alone decides", choices=STRATEGIES
    )
    branches: tuple[str, ...] = setting(
        (), "Branches that learn; empty: all of the fork", metavar="BRANCH"
    )
    branch_weights: tuple[str, ...] = setting(
        (),
        "Weights of branches in the loss (merged) or in the mean (federated); empty: equal",
        metavar="BRANCH=WEIGHT",
    )
    turn: int = setting(1, "Steps before the next branch, of alternating and federated", low=1)
    average_every: int = setting(
        5, "Turns of every branch between two averages, of federated", low=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, weight in self.weights().items():
            if not 0 <= weight < float("inf"):
                word = f"{name}={by_stage(self, 'branch_weights')[name]}"
                raise self.refusal("branch_weights", f"has {word}, expected a number from 0 on")

    def weights(self) -> dict[str, float]:
        """Weights that are given, by branch; NaN for a word that is not a number."""
        found: dict[str, float] = {}
        for name, word in by_stage(self, "branch_weights").items():
            try:
                found[name] = float(word)
            except ValueError:
                found[name] = float("nan")
        return found


class Branch(NamedTuple):
    """What a branch of a fork learns, and what it learns from.

    Attributes:
        stages: that learn with it.
        networks: of these, those that do not only join.
        terms: of the end loss that depend on it.
        supervised: its networks whose results do not reach the cones; they have losses of their
            own.
    """

    stages: frozenset[str]
    networks: frozenset[str]
    terms: frozenset[str]
    supervised: frozenset[str]


class SystemFork(NamedTuple):
    """The fork of a system.

    Attributes:
        shared: network that all branches read from.
        branches: by name, in the order of their first networks.
        common: terms of the end loss that depend on no branch alone: they count with every branch
            that reaches the cones.
        beside: learned stages outside the fork; they learn in every step.
    """

    shared: str
    branches: Mapping[str, Branch]
    common: frozenset[str]
    beside: frozenset[str]


def system_fork(system: TrainableSystem, *, learn_joins: bool = True) -> SystemFork:
    """The fork of a system.

    Args:
        system: with one fork.
        learn_joins: stages that join learn along.

    Raises:
        ValueError: if it has no fork or several, or a branch has nothing to learn from.
    """
    fork = _only_fork(system)
    frozen = frozenset() if learn_joins else frozenset(_joins(system, system.stages))
    claimed = {name: _claimed(system, stages) for name, stages in fork.branches.items()}
    common = frozenset(TERMS) - frozenset().union(*claimed.values())
    branches = {
        name: _branch(system, name, stages - frozen, claimed[name], common)
        for name, stages in fork.branches.items()
    }
    inside = frozenset({fork.shared}).union(*fork.branches.values())
    return SystemFork(fork.shared, branches, common, frozenset(system.end_stages) - inside - frozen)


def _only_fork(system: TrainableSystem) -> Fork:
    forks = forks_of(system.pipeline)
    if len(forks) != 1:
        source = system.pipeline.specification.source
        found = ", ".join(fork.shared for fork in forks) or "none"
        raise ValueError(
            f"{source} forks after: {found}; a fork_strategy expects one network whose results "
            "several others read"
        )
    return forks[0]


def _claimed(system: TrainableSystem, stages: Collection[str]) -> frozenset[str]:
    """Terms of the end loss that depend on the stages of a branch."""
    reaching = [system.pipeline.stage(name) for name in stages if name in system.end_stages]
    return frozenset().union(*(stage.end_loss_terms for stage in reaching))


def _branch(
    system: TrainableSystem,
    name: str,
    stages: frozenset[str],
    claimed: frozenset[str],
    common: frozenset[str],
) -> Branch:
    networks = frozenset(stages) - frozenset(_joins(system, stages))
    apart = networks - frozenset(system.end_networks)
    supervised = apart & frozenset(system.supervised_stages)
    reaches = bool(networks & frozenset(system.end_networks))
    if not reaches and not supervised:
        raise ValueError(
            f"the branch {name} of {system.pipeline.specification.source} reaches no cones and "
            "has no supervised loss, expected one of both to learn from"
        )
    return Branch(stages, networks, claimed | common if reaches else frozenset(), supervised)


def _joins(system: TrainableSystem, stages: Iterable[str]) -> list[str]:
    return [name for name in stages if system.pipeline.stage(name).joins]


class ForkTurns:
    """The shared model learns with one branch per turn; the other branches stay frozen.

    With copies, each branch has a copy of the shared model; they are averaged every so often.
    """

    def __init__(
        self, fork: SystemFork, learning: Sequence[str], turn: int, average_every: int = 0
    ) -> None:
        """Start with the first branch.

        Args:
            fork: of the system.
            learning: branches that have turns.
            turn: steps of a turn.
            average_every: turns of every branch before the copies are averaged; 0: no copies.
        """
        self._fork, self._learning, self._turn = fork, tuple(learning), turn
        self._round = turn * len(self._learning) * average_every  # steps between two averages

    def update(self, step: int) -> Update:
        """The shared model and the branch whose turn it is."""
        name = self._learning[(step // self._turn) % len(self._learning)]
        branch, networks = self._fork.branches[name], _networks(self._fork)
        beside = self._fork.beside if branch.terms else frozenset()
        return Update(
            frozenset({self._fork.shared}) | branch.stages | beside,
            BRANCHES,
            waits=networks - branch.networks,
            terms=dict.fromkeys(sorted(branch.terms), 1.0),
            supervised=dict.fromkeys(sorted(branch.supervised), 1.0),
            copy=name if self._round else "",
            averages=bool(self._round) and (step + 1) % self._round == 0,
        )

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """The past changes nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Nothing to keep: turns are a function of the step."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


def merged_update(
    fork: SystemFork, learning: Sequence[str], weights: Mapping[str, float]
) -> Update:
    """All learning branches in one step, from the weighted sum of their losses.

    Common terms count once, with the mean weight of the branches that reach the cones.
    """
    terms: dict[str, float] = {}
    supervised: dict[str, float] = {}
    branches = {name: fork.branches[name] for name in learning}
    for name, branch in branches.items():
        for term in branch.terms - fork.common:
            terms[term] = terms.get(term, 0.0) + weights[name]
        supervised |= dict.fromkeys(sorted(branch.supervised), weights[name])
    reaching = [weights[name] for name, branch in branches.items() if branch.terms]
    if reaching:
        terms |= dict.fromkeys(fork.common, sum(reaching) / len(reaching))
    stages = frozenset({fork.shared}).union(*(branch.stages for branch in branches.values()))
    return Update(
        stages | (fork.beside if reaching else frozenset()),
        BRANCHES,
        waits=_networks(fork) - stages,
        terms=dict(sorted(terms.items())),
        supervised=supervised,
    )


def learning_branches(config: ForkConfig, fork: SystemFork) -> tuple[str, ...]:
    """Branches that learn, in their order.

    Raises:
        SettingError: naming a branch that does not exist.
    """
    check_stages(config, "branches", config.branches, fork.branches)
    return tuple(name for name in fork.branches if not config.branches or name in config.branches)


def branch_weights(config: ForkConfig, fork: SystemFork) -> dict[str, float]:
    """Weight of every branch, 1 where none is given.

    Raises:
        SettingError: naming a branch that does not exist, or if all weights are 0.
    """
    given = config.weights()
    check_stages(config, "branch_weights", given, fork.branches)
    weights = dict.fromkeys(fork.branches, 1.0) | given
    if not any(weights[name] for name in learning_branches(config, fork)):
        raise config.refusal("branch_weights", "are all 0, expected one above")
    return weights


def _networks(fork: SystemFork) -> frozenset[str]:
    return frozenset().union(*(branch.networks for branch in fork.branches.values()))
