"""What the patterns are compared on."""

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
    "partial_camera",
    "alternating",
    "partial_lidar",
)


@dataclass(frozen=True)
class Condition:
    """Where all runs begin, and what they are trained and judged on.

    Attributes:
        domain: of :data:`conegrad_simulation.scene.domain.DOMAINS`.
        weakening: arguments of :func:`conegrad_training.comparison.degradation.weaken`; empty
            leaves the start as it is.
        mirror: share of training samples that are mirrored. Mirroring would also mirror the
            error of a calibration, so it is off where sensors have moved.
    """

    domain: str
    weakening: Mapping[str, Any] = field(default_factory=dict)
    mirror: float = 0.5


CONDITIONS = {
    "domain_shift": Condition("sodium_evening", mirror=0.0),
    "camera_undertrained": Condition(
        "fair", {"how": "disturb", "part": "camera", "strength": 0.45, "seed": 1}
    ),
    "lidar_undertrained": Condition(
        "fair", {"how": "disturb", "part": "lidar", "strength": 1.2, "seed": 1}
    ),
    "silenced_lidar": Condition("fair", {"how": "silence", "part": "lidar", "by": 10.0}),
    "silenced_camera": Condition("fair", {"how": "silence", "part": "camera", "by": 6.0}),
}


@dataclass(frozen=True)
class Scenario:
    """A question, and the runs that answer it.

    Attributes:
        title: for people.
        condition: of :data:`CONDITIONS`.
        patterns: that are run.
        shares: of the frames to learn from, each in runs of its own.
        equal_cost: individual training gets only as many frames as the label values of
            simultaneous training pay for.
    """

    title: str
    condition: str
    patterns: tuple[str, ...] = ALL
    shares: tuple[float, ...] = (1.0,)
    equal_cost: bool = False


SCENARIOS = {
    "domain_shift": Scenario("Another light, another noise, moved sensors", "domain_shift"),
    "silenced_lidar": Scenario(
        "The LiDAR network denies every cone",
        "silenced_lidar",
        ("simultaneous", "partial_lidar", "alternating", "individual", *CONTROLS),
    ),
    "silenced_camera": Scenario(
        "The camera network denies every cone",
        "silenced_camera",
        ("simultaneous", "partial_camera", "alternating", "individual", *CONTROLS),
    ),
    "equal_cost": Scenario(
        "The same number of label values",
        "domain_shift",
        ("simultaneous", "individual"),
        equal_cost=True,
    ),
    "shrinking_data": Scenario(
        "Fewer and fewer frames",
        "domain_shift",
        ("simultaneous", "individual", "individual_then_simultaneous"),
        shares=(1.0, 0.3, 0.1, 0.03),
    ),
    "camera_undertrained": Scenario("A camera network trained too little", "camera_undertrained"),
    "lidar_undertrained": Scenario("A LiDAR network trained too little", "lidar_undertrained"),
}
