"""Stamps, camera models and poses."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_core.geometry.odometry import Pose2
from conegrad_nodes.decode.errors import DecodeError, check_within, from_content

Matrix = npt.NDArray[np.float64]

NO_DISTORTION = ("", "none")
SECOND = 1_000_000_000  # [ns]
MAX_COORDINATE = 1e8  # [m], beyond any map: northings of UTM reach 1e7
MAX_PIXELS = 1e6  # [px], of focal lengths and of the principal point
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
def camera_model_from_msg(msg: Any) -> CameraModel:
    """Camera model of a sensor_msgs/CameraInfo.

    Raises:
        DecodeError: if the camera is not calibrated, or uses binning or a region of interest.
    """
    # rosbags names the matrices as the message does, rclpy in lower case.
    matrix = np.array(_field(msg, "k"), dtype=np.float64).reshape(3, 3)
    if not matrix[0, 0] > 0:
        raise DecodeError(f"k is {matrix.ravel().tolist()}, expected a calibrated camera")
    if max(msg.binning_x, msg.binning_y) > 1:
        raise DecodeError(f"binning is {msg.binning_x}x{msg.binning_y}, expected none")
    region = msg.roi
    if region.width not in (0, msg.width) or region.height not in (0, msg.height):
        raise DecodeError(f"roi is {region.width}x{region.height} px, expected the whole image")
    distortion = torch.tensor(np.array(_field(msg, "d"), dtype=np.float64), dtype=torch.float32)
    name = msg.distortion_model
    if name in NO_DISTORTION or not len(distortion):
        name, distortion = "none", torch.zeros(0)
    model = CameraModel(
        int(msg.width), int(msg.height), torch.from_numpy(matrix).float(), distortion, name
    )
    try:
        check_camera(model)
    except ValueError as error:
        raise DecodeError(str(error)) from error
    for value in matrix[:2].ravel():
        check_within("k", value, MAX_PIXELS, " px")
    return model


def _field(msg: Any, name: str) -> Any:
    return getattr(msg, name) if hasattr(msg, name) else getattr(msg, name.upper())


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
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    rotation = unit_quaternion("rotation", transform.rotation)
    matrix[:3, :3] = Rotation.from_quat(rotation).as_matrix()
    for row, axis in enumerate("xyz"):
        value = getattr(transform.translation, axis)
        check_within(f"translation.{axis}", value, MAX_COORDINATE, " m")
        matrix[row, 3] = value
    return matrix
