"""Motion of a planar LiDAR during a scan: each target is where it is when the beam meets it."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.lidar.ray_casting import Targets
from conegrad_simulation.planar import Floats

FULL_TURN = 2 * math.pi


class Spin(NamedTuple):
    """Motion of the sensor while it measures one scan.

    Attributes:
        duration: of a full turn; negative where the beams turn clockwise [s].
        velocity: ``(2,)`` ahead and to the left [m/s].
        yaw_rate: [rad/s].
    """

    duration: float
    velocity: Floats
    yaw_rate: float


def random_spin(rng: np.random.Generator) -> Spin | None:
    """Of a random car with a random sensor; None in most draws: it stands, or scans fast."""
    if rng.random() < 0.6:
        return None
    duration = rng.choice([-1.0, 1.0]) * rng.choice([0.025, 0.05, 0.1, 0.14])
    velocity = np.array([rng.uniform(0, 12), rng.normal(0, 0.3)])
    return Spin(float(duration), velocity, float(rng.normal(0, 0.4)))


def moved_targets(targets: Targets, spin: Spin) -> Targets:
    """Targets in the sensor's frame, as a sensor that moves in the middle of the scan sees them.

    Each circle and each end of a wall is moved by the motion between the middle of the scan and
    the time when the beam passes it.
    """
    frusta, walls = targets.frusta.copy(), targets.walls.copy()
    frusta[:, :2] = _moved(frusta[:, :2], spin)
    walls[:, :2], walls[:, 2:4] = _moved(walls[:, :2], spin), _moved(walls[:, 2:4], spin)
    return targets._replace(frusta=frusta, walls=walls)


def _moved(places: Floats, spin: Spin) -> Floats:
    times = spin.duration * np.arctan2(places[:, 1], places[:, 0]) / FULL_TURN
    offset = places - times[:, None] * spin.velocity
    turn = -spin.yaw_rate * times
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = offset[:, 0], offset[:, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=1)
