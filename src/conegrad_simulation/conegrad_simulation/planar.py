"""Planar poses, and points in the frames at them."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.vehicle import Mounting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Border = Literal["wrap", "nearest"]  # of a filter along a closed line, and along an open one


class Pose(NamedTuple):
    """Planar pose of ``base_link`` in the map: x and y [m], yaw counter-clockwise [rad]."""

    x: float
    y: float
    yaw: float


def to_parent(points: Floats, x: float, y: float, yaw: float) -> Floats:
    """Points ``(N, 2)`` of a frame, in the parent frame in which it has the pose x, y, yaw.

    Lengths have any unit, the same for points and pose; ``yaw`` is in radians.
    """
    cosine, sine = np.cos(yaw), np.sin(yaw)
    turned = points @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(turned + np.array([x, y]))


def in_sensor(points: Floats, pose: Pose, mounting: Mounting) -> Floats:
    """Map points ``(N, 2)`` in the frame of a sensor of a level car [m].

    Args:
        points: x and y in the map [m].
        pose: of ``base_link`` in the map.
        mounting: of the sensor on the car; height, roll and pitch have no effect.
    """
    base_from_map = np.linalg.inv(_matrix(*pose))
    sensor_from_base = np.linalg.inv(_matrix(mounting.x, mounting.y, mounting.yaw))
    matrix = sensor_from_base @ base_from_map
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def _matrix(x: float, y: float, yaw: float) -> Floats:
    """``(3, 3)`` homogeneous transform from the frame at a pose to its parent."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    return np.array([[cosine, -sine, x], [sine, cosine, y], [0.0, 0.0, 1.0]])
