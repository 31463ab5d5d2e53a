"""Stamps, camera models and poses."""

import math
from typing import Any

import numpy as np
import torch

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_core.geometry.odometry import Pose2
from conegrad_nodes.decode.errors import DecodeError

NO_DISTORTION = ("", "none")


def stamp_ns_from_msg(stamp: Any) -> int:
    """builtin_interfaces/Time in nanoseconds."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


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
    return model


def _field(msg: Any, name: str) -> Any:
    return getattr(msg, name) if hasattr(msg, name) else getattr(msg, name.upper())


def pose_from_msg(msg: Any) -> Pose2:
    """Planar pose of a nav_msgs/Odometry: its child frame in the frame of its header.

    Raises:
        DecodeError: if the pose is not finite or its quaternion has no length.
    """
    position, q = msg.pose.pose.position, msg.pose.pose.orientation
    values = (position.x, position.y, q.x, q.y, q.z, q.w)
    if not all(map(math.isfinite, values)):
        raise DecodeError(f"pose (x, y, quaternion) is {values}, expected finite values")
    if q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w < 1e-6:
        raise DecodeError("the orientation is (0, 0, 0, 0), expected a unit quaternion")
    yaw = math.atan2(2 * (q.w * q.z + q.x * q.y), q.w * q.w + q.x * q.x - q.y * q.y - q.z * q.z)
    return Pose2(float(position.x), float(position.y), yaw)
