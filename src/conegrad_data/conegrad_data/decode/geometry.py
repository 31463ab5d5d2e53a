"""Stamps and poses."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_core.geometry.odometry import Pose2
from conegrad_data.decode.errors import DecodeError, check_within, from_content

Matrix = npt.NDArray[np.float64]

SECOND = 1_000_000_000  # [ns]
MAX_COORDINATE = 1e8  # [m], beyond any map: northings of UTM reach 1e7
MAX_SPEED = 150.0  # [m/s], of a car
MIN_NORM, MAX_NORM = 1e-3, 1e3  # of quaternions, which are normalised


def stamp_ns_from_msg(stamp: Any) -> int:
    """builtin_interfaces/Time in nanoseconds.

    Raises:
        DecodeError: if the nanoseconds are a second or more, which no clock says.
    """
    if not 0 <= stamp.nanosec < SECOND:
        raise DecodeError(f"stamp.nanosec is {stamp.nanosec}, expected less than {SECOND}")
    return int(stamp.sec) * SECOND + int(stamp.nanosec)


@from_content
def pose_from_msg(msg: Any) -> Pose2:
    """Planar pose of a nav_msgs/Odometry: its child frame in the frame of its header.

    Raises:
        DecodeError: if the position is not finite or beyond any map, or the orientation none.
    """
    position, q = msg.pose.pose.position, msg.pose.pose.orientation
    values = (position.x, position.y, q.x, q.y, q.z, q.w)
    if not all(map(math.isfinite, values)):
        raise DecodeError(f"pose (x, y, quaternion) is {values}, expected finite values")
    check_within("pose.position.x", position.x, MAX_COORDINATE, " m")
    check_within("pose.position.y", position.y, MAX_COORDINATE, " m")
    x, y, z, w = unit_quaternion("pose.orientation", q)
    yaw = math.atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z)
    return Pose2(float(position.x), float(position.y), yaw)


@from_content
def pose_matrix_from_msg(msg: Any) -> Matrix:
    """``(4, 4)`` pose of a nav_msgs/Odometry: its child frame in the frame of its header.

    Raises:
        DecodeError: as :func:`pose_from_msg`.
    """
    pose = msg.pose.pose
    return _matrix("pose.position", pose.position, "pose.orientation", pose.orientation)


def speed_from_msg(msg: Any) -> float:
    """Speed ahead of a nav_msgs/Odometry [m/s].

    Raises:
        DecodeError: if no car is that fast.
    """
    speed = float(msg.twist.twist.linear.x)
    check_within("twist.linear.x", speed, MAX_SPEED, " m/s")
    return speed


def unit_quaternion(name: str, quaternion: Any) -> tuple[float, float, float, float]:
    """x, y, z and w of a geometry_msgs/Quaternion, normalised.

    Raises:
        DecodeError: if it is not finite, or its length is far from 1; names the field.
    """
    values = (quaternion.x, quaternion.y, quaternion.z, quaternion.w)
    norm = math.hypot(*values)  # unlike the root of a sum of squares it does not overflow
    if not MIN_NORM <= norm <= MAX_NORM:
        found = ", ".join(f"{value:g}" for value in values)
        raise DecodeError(f"{name} is ({found}), expected a unit quaternion")
    x, y, z, w = (float(value) / norm for value in values)
    return x, y, z, w


@from_content
def matrix_from_transform(transform: Any) -> Matrix:
    """``(4, 4)`` rigid transform ``parent_from_child`` of a geometry_msgs/Transform.

    Raises:
        DecodeError: if its rotation or its translation is none.
    """
    return _matrix("translation", transform.translation, "rotation", transform.rotation)


def _matrix(place: str, vector: Any, turn: str, quaternion: Any) -> Matrix:
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    rotation = unit_quaternion(turn, quaternion)
    matrix[:3, :3] = Rotation.from_quat(rotation).as_matrix()
    for row, axis in enumerate("xyz"):
        value = getattr(vector, axis)
        check_within(f"{place}.{axis}", value, MAX_COORDINATE, " m")
        matrix[row, 3] = value
    return matrix
