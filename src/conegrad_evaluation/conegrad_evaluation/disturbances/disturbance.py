"""A disturbance: what goes wrong with a kind of port or with the context, as data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# What a disturbance acts on beside kinds of ports.
CALIBRATION, MOTION, TIME = "calibration", "motion", "time"
# Streams of messages, which only a running graph has.
CAMERA_STREAM, LIDAR_STREAM = "stream of the camera", "stream of the LiDAR"
ODOMETRY_STREAM = "stream of the odometry"
STREAMS = (CAMERA_STREAM, LIDAR_STREAM, ODOMETRY_STREAM)

Parameters = Mapping[str, float]
# Value of a port, or the calibration, before and after; for TIME see `time.py`, for streams
# `streams.py`.
Damage = Callable[[Any, Parameters, np.random.Generator], Any]


@dataclass(frozen=True)
class Disturbance:
    """One kind of damage with its severities.

    Attributes:
        name: under which a package registers it.
        acts_on: kind of the ports whose values it changes (``Image``, ``Scan``),
            :data:`CALIBRATION`, :data:`MOTION` (of the car between image and scan),
            :data:`TIME`, or one of :data:`STREAMS`.
        description: one line, with the unit of each parameter.
        severities: parameters of severity 1, 2, 3 and so on; all have the same names.
        damage: makes the damaged value of an intact one, its parameters and a source of random
            draws; leaves the intact one as it is. None where ``acts_on`` is :data:`TIME`.
        takes_away: the sensor is lost, its port has no value.
        repeats: of time: the sensor gives one message again until it is that late, then a new one.
    """

    name: str
    acts_on: str
    description: str
    severities: Sequence[Parameters]
    damage: Damage | None = None
    takes_away: bool = False
    repeats: bool = False

    def __post_init__(self) -> None:
        if not self.severities or len({frozenset(each) for each in self.severities}) != 1:
            found = [sorted(each) for each in self.severities]
            raise ValueError(
                f"severities of {self.name} have the parameters {found}, expected at least one "
                "severity and the same parameters in each"
            )
        if (self.damage is None) != (self.acts_on == TIME):
            raise ValueError(
                f"{self.name} acts on {self.acts_on} and has {'no' if not self.damage else 'a'} "
                f"damage, expected one for everything but {TIME}"
            )

    def parameters(self, severity: int, given: Parameters | None = None) -> dict[str, float]:
        """Parameters of a severity, with those that are given instead.

        Raises:
            ValueError: for a severity or a parameter that there is not.
        """
        if not 1 <= severity <= len(self.severities):
            raise ValueError(
                f"severity of {self.name} is {severity}, expected 1 to {len(self.severities)}"
            )
        of_severity = dict(self.severities[severity - 1])
        for name in given or {}:
            if name not in of_severity:
                known = ", ".join(of_severity)
                raise ValueError(f"{self.name} has no parameter {name!r}, expected one of {known}")
        return {**of_severity, **(given or {})}
