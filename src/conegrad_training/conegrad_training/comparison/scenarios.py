"""Conditions and scenarios on which the training patterns are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conegrad_training.patterns.forking import STRATEGIES
from conegrad_training.patterns.patterns import ALTERNATING, PARTIAL, SIMULTANEOUS

CONTROLS = ("fusion_only", "statistics_only")
ALL = (
    SIMULTANEOUS,
    "individual",
    "individual_then_simultaneous",
    "individual_then_fusion_only",
    *CONTROLS,
    PARTIAL,
    ALTERNATING,
)
CAR = ("detector", "segmenter")  # networks of the pipeline that is compared unless another is given
FORK = "fork_"  # before a fork strategy: simultaneous training that follows it


@dataclass(frozen=True)
class TrainingCondition:
    """Baseline of all runs, and the domain of their training and test frames.

    Attributes:
        domain: of :data:`conegrad_simulation.scene.domain.DOMAINS`.
        degradation: arguments of :func:`conegrad_training.comparison.degradation.degrade`;
            empty leaves the weights as they are.
        mirror: share of training samples that are mirrored. Mirroring would also mirror the
            error of a calibration, so it is off where sensors have moved.
    """

    domain: str
    degradation: Mapping[str, Any] = field(default_factory=dict)
    mirror: float = 0.5


CONDITIONS = {
    "domain_shift": TrainingCondition("sodium_evening", mirror=0.0),
    "camera_undertrained": TrainingCondition(
        "fair", {"kind": "add_weight_noise", "stage": "detector", "strength": 0.45, "seed": 1}
    ),
    "lidar_undertrained": TrainingCondition(
        "fair", {"kind": "add_weight_noise", "stage": "segmenter", "strength": 1.2, "seed": 1}
    ),
    "keypoints_undertrained": TrainingCondition(
        "fair", {"kind": "add_weight_noise", "stage": "keypoints", "strength": 0.45, "seed": 1}
    ),
    "classifier_undertrained": TrainingCondition(
        "fair", {"kind": "add_weight_noise", "stage": "classifier", "strength": 0.45, "seed": 1}
    ),
    "fallen_cones": TrainingCondition("fallen_evening", mirror=0.0),
    "silenced_lidar": TrainingCondition(
        "fair", {"kind": "lower_logits", "stage": "segmenter", "amount": 10.0}
    ),
    "silenced_camera": TrainingCondition(
        "fair", {"kind": "lower_logits", "stage": "detector", "amount": 6.0}
    ),
}


@dataclass(frozen=True)
class Scenario:
    """A question of the comparison, and the runs that are made for it.

    Attributes:
        title: heading in the report.
        condition: name of a condition of :data:`CONDITIONS`.
        patterns: training patterns to run; ``partial`` stands for every network by itself, and
            where there is ``simultaneous`` it may follow fork strategies as well.
        shares: of the training frames, each in separate runs.
        equal_cost: individual training has the label budget that simultaneous training used.
    """

    title: str
    condition: str
    patterns: tuple[str, ...] = ALL
    shares: tuple[float, ...] = (1.0,)
    equal_cost: bool = False

    def patterns_for(self, networks: Sequence[str]) -> tuple[str, ...]:
        """Its patterns for a pipeline with some networks."""
        found: list[str] = []
        for pattern in self.patterns:
            if pattern == PARTIAL:
                found += [f"{PARTIAL}_{network}" for network in networks]
            elif partial_network(pattern) in (None, *networks):
                found.append(pattern)
        return tuple(found)

    def rank(self, pattern: str) -> tuple[int, bool, str] | None:
        """Place of a pattern among those of the scenario; None if it is none of them."""
        kind = pattern
        if pattern not in self.patterns:
            kind = SIMULTANEOUS if pattern.startswith(FORK) else PARTIAL
            if kind not in self.patterns or (kind == PARTIAL and not partial_network(pattern)):
                return None
        return self.patterns.index(kind), pattern != kind, pattern


def partial_network(pattern: str) -> str | None:
    """Network that a pattern ``partial_NETWORK`` trains; None for another pattern."""
    return pattern.removeprefix(f"{PARTIAL}_") if pattern.startswith(f"{PARTIAL}_") else None


def fork_pattern(strategy: str) -> str:
    """Pattern of a comparison for a fork strategy.

    Raises:
        ValueError: for an unknown strategy.
    """
    if strategy not in STRATEGIES[1:]:
        raise ValueError(f"fork strategy is {strategy!r}, expected one of {STRATEGIES[1:]}")
    return f"{FORK}{strategy}"


SCENARIOS = {
    "domain_shift": Scenario("Domain shift: light, sensor noise and moved sensors", "domain_shift"),
    "silenced_lidar": Scenario(
        "LiDAR network that detects nothing",
        "silenced_lidar",
        ("simultaneous", "partial_segmenter", "alternating", "individual", *CONTROLS),
    ),
    "silenced_camera": Scenario(
        "Camera network that detects nothing",
        "silenced_camera",
        ("simultaneous", "partial_detector", "alternating", "individual", *CONTROLS),
    ),
    "equal_cost": Scenario(
        "Equal label budget",
        "domain_shift",
        ("simultaneous", "individual"),
        equal_cost=True,
    ),
    "shrinking_data": Scenario(
        "Shrinking training data",
        "domain_shift",
        ("simultaneous", "individual", "individual_then_simultaneous"),
        shares=(1.0, 0.3, 0.1, 0.03),
    ),
    "camera_undertrained": Scenario("Undertrained camera network", "camera_undertrained"),
    "lidar_undertrained": Scenario("Undertrained LiDAR network", "lidar_undertrained"),
    "keypoints_undertrained": Scenario("Undertrained keypoint network", "keypoints_undertrained"),
    "classifier_undertrained": Scenario("Undertrained colour network", "classifier_undertrained"),
    "fallen_cones": Scenario(
        "Domain shift, and many cones have fallen over",
        "fallen_cones",
        ("simultaneous", "individual", *CONTROLS),
    ),
}
