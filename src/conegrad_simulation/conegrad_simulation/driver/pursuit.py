"""Pure pursuit of a line, and the speeds that its curvature allows."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from conegrad_core.settings import Config, setting
from conegrad_simulation.planar import Floats

BASELINE = 5  # points over which curvature is smoothed


@dataclass(frozen=True)
class PursuitConfig(Config):
    """Settings of the pursuit; lengths and speeds hold for a track of full size."""

    speed: float = setting(7.0, "Largest speed [m/s]", low=0.1, high=60.0)
    lateral_limit: float = setting(4.0, "Acceleration in corners [m/s^2]", low=0.1, high=40.0)
    forward_limit: float = setting(3.0, "Acceleration ahead [m/s^2]", low=0.1, high=40.0)
    braking_limit: float = setting(
        3.0, "Deceleration in time for the end of the line [m/s^2]", low=0.1, high=40.0
    )
    lookahead: float = setting(2.0, "Shortest distance of the target point [m]", low=0.2)
    lookahead_time: float = setting(
        0.35, "Additional distance of the target point per speed [s]", low=0.0, high=5.0
    )
    preview: float = setting(0.3, "Time ahead at which the speed of the line is taken [s]", low=0.0)


def pursue(points: Floats, speed: float, config: PursuitConfig) -> float:
    """Curvature of the arc to the target point, left turns positive [1/units].

    Args:
        points: ``(M, 2)`` line in the frame of the car, at least one point ahead [units].
        speed: of the car [units/s].
        config: settings.

    Source:
        Coulter, Implementation of the Pure Pursuit Path Tracking Algorithm, CMU-RI-TR-92-01.
    """
    wanted = config.lookahead + config.lookahead_time * speed
    distances = np.linalg.norm(points, axis=1)
    nearest = int(distances.argmin())
    beyond = np.flatnonzero(distances[nearest:] >= wanted)
    target = nearest + int(beyond[0]) if len(beyond) else len(points) - 1
    squared = max(float(distances[target]) ** 2, 1e-6)
    return 2.0 * float(points[target, 1]) / squared


def allowed_speeds(points: Floats, config: PursuitConfig) -> Floats:
    """``(M,)`` speeds that keep the limits in corners and allow a stop at the end [units/s].

    Args:
        points: ``(M, 2)`` line, evenly spaced [units].
        config: settings.
    """
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    speeds = np.sqrt(config.lateral_limit / np.maximum(np.abs(curvatures(points)), 1e-6))
    speeds = np.minimum(speeds, config.speed)
    speeds[-1] = 0.0
    for row in range(len(speeds) - 2, -1, -1):
        reachable = np.sqrt(speeds[row + 1] ** 2 + 2 * config.braking_limit * steps[row])
        speeds[row] = min(speeds[row], reachable)
    return np.asarray(speeds)


def curvatures(points: Floats) -> Floats:
    """``(M,)`` smoothed curvature of a line, left turns positive [1/units]."""
    if len(points) < 3:
        return np.zeros(len(points))
    steps = np.diff(points, axis=0)
    headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    lengths = np.linalg.norm(steps, axis=1)
    turns = np.diff(headings) / np.maximum(0.5 * (lengths[1:] + lengths[:-1]), 1e-6)
    ends = np.concatenate([turns[:1], turns, turns[-1:]])
    return np.asarray(uniform_filter1d(ends, BASELINE, mode="nearest"))
