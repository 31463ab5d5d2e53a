"""Camera models of sensor_msgs/CameraInfo."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_core.geometry.distortion_names import NO_DISTORTION, named_distortion
from conegrad_data.decode.errors import DecodeError, check_within, from_content

Matrix = npt.NDArray[np.float64]

MAX_PIXELS = 1e6  # [px], of focal lengths and of the principal point


@from_content
def camera_model_from_msg(msg: Any, *, rectified: bool = False) -> CameraModel:
    """Model of the camera that published an image beside a sensor_msgs/CameraInfo.

    The message is about the full resolution. Where it has binning or a region of interest, the
    model is that of the smaller image.

    Args:
        msg: the message.
        rectified: the images are those of image_proc (``image_rect``): P of the message and no
            distortion belong to them, K and D to the raw ones.

    Raises:
        DecodeError: if the camera is not calibrated, or the message cannot be used; names the
            field.
    """
    name = "p" if rectified else "k"
    matrix = _matrix(msg, name)
    region = _region(msg)
    if rectified and region != (0, 0, msg.width, msg.height):
        raise DecodeError(
            f"roi is {region[2]}x{region[3]} px of rectified images, expected the whole image: "
            "which part of the rectified image it is, is not stated"
        )
    x, y, width, height = region
    bins = [max(1, int(value)) for value in (msg.binning_x, msg.binning_y)]
    matrix[:2, 2] -= x, y
    matrix[:2] /= np.array(bins, dtype=np.float64)[:, None]
    try:
        lens = (
            NO_DISTORTION if rectified else named_distortion(msg.distortion_model, _field(msg, "d"))
        )
        model = CameraModel(
            width // bins[0],
            height // bins[1],
            torch.from_numpy(matrix).float(),
            torch.tensor(lens.coefficients),
            lens.model,
        )
        check_camera(model)
    except ValueError as error:
        raise DecodeError(str(error)) from error
    return model


def _matrix(msg: Any, name: str) -> Matrix:
    """``(3, 3)`` K, or P without its last column."""
    values = np.array(_field(msg, name), dtype=np.float64)
    matrix: Matrix = values.reshape(3, -1)[:, :3].copy()
    if not values.any():
        why = ", which belongs to rectified images" if name == "p" else ""
        raise DecodeError(f"{name} is all 0{why}, expected a calibrated camera")
    if not np.isfinite(values).all():
        raise DecodeError(f"intrinsics are {values.tolist()} ({name}), expected finite values")
    for value in values:
        check_within(name, value, MAX_PIXELS, " px")
    if not matrix[0, 0] > 0 or not matrix[1, 1] > 0:
        raise DecodeError(
            f"{name} has the focal lengths {matrix[0, 0]:g} and {matrix[1, 1]:g} px, expected "
            "those of a calibrated camera, above 0"
        )
    if matrix[1, 0] or matrix[2].tolist() != [0.0, 0.0, 1.0]:
        raise DecodeError(
            f"{name} is {values.tolist()}, expected rows (fx, skew, cx), (0, fy, cy), (0, 0, 1)"
        )
    return matrix


def _region(msg: Any) -> tuple[int, int, int, int]:
    """Region of interest: left, top, width, height [px]; 0 stands for the full size."""
    roi = msg.roi
    width, height = int(roi.width) or int(msg.width), int(roi.height) or int(msg.height)
    if roi.x_offset + width > msg.width or roi.y_offset + height > msg.height:
        raise DecodeError(
            f"roi is {width}x{height} px at ({roi.x_offset}, {roi.y_offset}), expected it within "
            f"{msg.width}x{msg.height} px"
        )
    return int(roi.x_offset), int(roi.y_offset), width, height


def _field(msg: Any, name: str) -> Any:
    # rosbags names the matrices as the message does, rclpy in lower case.
    return getattr(msg, name) if hasattr(msg, name) else getattr(msg, name.upper())
