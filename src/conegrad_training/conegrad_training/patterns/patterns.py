"""The training patterns: which parts learn in a step, and from which loss."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from conegrad_core.settings import Config, setting
from conegrad_training.systems.system import CAMERA, FUSION, LIDAR

END, OWN, NONE = "end", "own", "none"  # losses
PATTERNS = (
    "individual",
    "partial_camera",
    "partial_lidar",
    "simultaneous",
    "alternating",
    "fusion_only",
    "statistics_only",
    "individual_then_simultaneous",
    "individual_then_fusion_only",
)
SCHEDULES = ("round_robin", "worst_term")
# Which network a term of the end loss blames; existence is the work of both.
BLAME = {"position": LIDAR, "colour": CAMERA}
SMOOTHING = 0.8  # share of the past in the running mean of a term


class Update(NamedTuple):
    """What one step does.

    Attributes:
        parts: that learn.
        loss: ``end``, the end loss; ``own``, each model's own loss; ``none``, no loss at all.
        adapts: parts whose batch-norm statistics follow the data whatever the settings say.
        waits: networks that learn in other steps. Where statistics follow the data, they normalise
            by the batch in this one as well, and keep their statistics.
    """

    parts: frozenset[str]
    loss: str
    adapts: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()


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

    pattern: str = setting("simultaneous", f"One of {', '.join(PATTERNS)}")
    schedule: str = setting("round_robin", "Of alternating: round_robin or worst_term")
    block: int = setting(1, "Of alternating: steps before the other model has its turn", low=1)
    learn_fusion: bool = setting(True, "The scalars of the fusion learn along with the end loss")
    learn_calibration: bool = setting(
        False, "With the fusion also learns where the sensors are mounted"
    )
    first_steps: int = setting(75, "Of individual_then_...: steps of individual training", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_choice("pattern", PATTERNS)
        self.check_choice("schedule", SCHEDULES)

    @property
    def needs_own_labels(self) -> bool:
        """Some step learns from boxes and beam labels."""
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

    def __init__(self, schedule: str, block: int, along: frozenset[str]) -> None:
        """Start with the camera.

        Args:
            schedule: ``round_robin``: the networks take turns; ``worst_term``: the network that
                the largest term of the end loss blames, for existence the one that had no turn.
            block: steps of a turn.
            along: parts that learn in every step.
        """
        self._schedule, self._block, self._along = schedule, block, along
        self._turn = CAMERA
        self._terms: dict[str, float] = {}

    def update(self, step: int) -> Update:
        """The network whose turn it is, from the end loss."""
        return Update(self._along | {self._turn}, END, waits=frozenset({self._other}))

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """Note the terms; after the last step of a block, choose who is next."""
        for name, value in losses.items():
            before = self._terms.get(name, value)
            self._terms[name] = SMOOTHING * before + (1 - SMOOTHING) * value
        if (step + 1) % self._block == 0:
            self._turn = self._next()

    @property
    def _other(self) -> str:
        return LIDAR if self._turn == CAMERA else CAMERA

    def _next(self) -> str:
        if self._schedule == "round_robin":
            return self._other
        judged = ("position", "colour", "existence")
        worst = max(judged, key=lambda name: self._terms.get(name, 0.0))
        return BLAME.get(worst, self._other)

    def state_dict(self) -> dict[str, Any]:
        """Whose turn it is, and the running means of the terms."""
        return {"turn": self._turn, "terms": dict(self._terms)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._turn, self._terms = state["turn"], dict(state["terms"])


class InTurn:
    """One pattern up to a step, another one from there on."""

    def __init__(self, first: Pattern, then: Pattern, first_steps: int) -> None:
        self._parts = (first, then)
        self._first_steps = first_steps

    def _at(self, step: int) -> Pattern:
        return self._parts[step >= self._first_steps]

    def update(self, step: int) -> Update:
        """What the pattern does whose time it is."""
        return self._at(step).update(step)

    def observe(self, step: int, losses: Mapping[str, float]) -> None:
        """The pattern whose step it was takes note."""
        self._at(step).observe(step, losses)

    def state_dict(self) -> dict[str, Any]:
        """The state of both."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        for part, of_part in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(of_part)


def make_pattern(config: PatternConfig) -> Pattern:
    """The pattern of the settings."""
    along = frozenset({FUSION} if config.learn_fusion else ())
    if config.pattern == "alternating":
        return Alternating(config.schedule, config.block, along)
    networks = frozenset({CAMERA, LIDAR})
    updates = {
        "individual": Update(networks, OWN),
        "partial_camera": Update(along | {CAMERA}, END),
        "partial_lidar": Update(along | {LIDAR}, END),
        "simultaneous": Update(along | networks, END),
        "fusion_only": Update(frozenset({FUSION}), END),
        "statistics_only": Update(frozenset(), NONE, networks),
    }
    if "_then_" in config.pattern:
        first, then = (Constant(updates[name]) for name in config.pattern.split("_then_"))
        return InTurn(first, then, config.first_steps)
    return Constant(updates[config.pattern])
