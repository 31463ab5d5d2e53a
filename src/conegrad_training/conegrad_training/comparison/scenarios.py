"""Conditions and scenarios on which the training patterns are compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CONTROLS = ("fusion_only", "statistics_only")
ALL = (
    "simultaneous",
    "individual",
    "individual_then_simultaneous",
    "individual_then_fusion_only",
    *CONTROLS,
    "partial_detector",
    "alternating",
    "partial_segmenter",
)


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
        patterns: training patterns to run.
        shares: of the training frames, each in separate runs.
        equal_cost: individual training has the label budget that simultaneous training used.
    """

    title: str
    condition: str
    patterns: tuple[str, ...] = ALL
    shares: tuple[float, ...] = (1.0,)
    equal_cost: bool = False


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
}
