"""Poses of the cones of a scene in Gazebo."""

import numpy as np
from scipy.spatial.transform import Rotation

from conegrad_core.cones import ConeClass
from conegrad_simulation.gazebo.car import Pose6
from conegrad_simulation.gazebo.cone_shape import ConeShape, cone_shape
from conegrad_simulation.lidar.scene_targets import FALLEN
from conegrad_simulation.scene.scene import Scene


def cone_name(row: int) -> str:
    """Name of the model of a row of the scene."""
    return f"cone_{row:04d}"


def cone_place(scene: Scene, row: int) -> Pose6:
    """Pose of a cone: upright on the ground, or lying on it if it has fallen over.

    The small lean of a standing cone is left out: it comes from uneven ground, and the ground in
    Gazebo is a plane.
    """
    x, y = (float(value) for value in scene.cone_positions[row])
    yaw = float(scene.cone_yaws[row])
    lean = scene.cone_leans[row]
    angle = float(np.hypot(*lean))
    if angle <= FALLEN:
        return x, y, 0.0, 0.0, 0.0, yaw
    # The axis leans towards (lean_x, lean_y): a turn about the horizontal axis across it.
    turn = Rotation.from_rotvec([-lean[1], lean[0], 0.0]) * Rotation.from_euler("z", yaw)
    corners = turn.apply(_outline(cone_shape(ConeClass(int(scene.cone_classes[row])))))
    roll, pitch, heading = (float(value) for value in turn.as_euler("xyz"))
    return x, y, -float(corners[:, 2].min()), roll, pitch, heading


def _outline(shape: ConeShape) -> np.ndarray:
    """Points of a cone of which one is the lowest, whichever way it lies."""
    half = shape.side / 2
    plate = [(x, y, z) for x in (-half, half) for y in (-half, half) for z in (0, shape.thickness)]
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    top = [(shape.top * np.cos(a), shape.top * np.sin(a), shape.height) for a in angles]
    return np.array([*plate, *top])
