"""Distances from the outline of the car to the feet of the cones."""

import numpy as np

from conegrad_core.vehicle import ChassisPreset
from conegrad_simulation.planar import Floats, Pose
from conegrad_simulation.scene.scene import Scene


def clearances(scene: Scene, pose: Pose, chassis: ChassisPreset) -> Floats:
    """``(N,)`` distance from the car to the foot of each cone [m]; 0 or less where they touch.

    The car is a rectangle from tail to nose, as wide as body or wheels, whichever is wider. The
    foot of a cone is the circle inside its base plate.

    Args:
        scene: N cones in the map.
        pose: of ``base_link`` in the map.
        chassis: size of the car.
    """
    offset = scene.cone_positions - [pose.x, pose.y]
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    ahead = cos * offset[:, 0] + sin * offset[:, 1]
    left = cos * offset[:, 1] - sin * offset[:, 0]
    width = max(chassis.body_width, chassis.track_width + chassis.wheel_width)
    beyond = np.maximum(ahead - chassis.body_front, -chassis.body_rear - ahead)
    beside = np.abs(left) - width / 2
    outside = np.hypot(np.maximum(beyond, 0.0), np.maximum(beside, 0.0))
    inside = np.minimum(np.maximum(beyond, beside), 0.0)
    return np.asarray(outside + inside - scene.cone_base_sides / 2)
