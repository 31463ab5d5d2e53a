"""Where the sensors are: what the fusion must know about a vehicle."""

from typing import NamedTuple

from torch import Tensor

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse
from conegrad_core.shapes import check_shape


class Calibration(NamedTuple):
    """Geometry of a camera and a level planar LiDAR above flat ground.

    Attributes:
        camera: intrinsics and distortion.
        camera_from_lidar: ``(4, 4)`` rigid transform into the camera's optical frame.
        lidar_height: of the LiDAR above the ground [m]; the ground is ``z = -lidar_height`` in
            the LiDAR frame.
    """

    camera: CameraModel
    camera_from_lidar: Tensor
    lidar_height: float


def check_calibration(calibration: Calibration) -> None:
    """Refuse a calibration that cannot be used.

    Raises:
        ValueError: naming the field, its value and what was expected.
    """
    check_camera(calibration.camera)
    check_shape(calibration.camera_from_lidar, 4, 4, name="camera_from_lidar")
    if not calibration.lidar_height >= 0:
        raise ValueError(f"lidar_height is {calibration.lidar_height} m, expected 0 or more")
    rotation = calibration.camera_from_lidar[:3, :3]
    error = float((rotation @ rotation.mT - rotation.new_ones(3).diag()).detach().abs().max())
    if not error < 1e-2:
        raise ValueError(f"camera_from_lidar is off a rotation by {error:.3g}, expected below 0.01")


def moved_calibration(calibration: Calibration, motion: Tensor) -> Calibration:
    """Calibration as if the image were taken from where the camera was, seen at the scan's stamp.

    Args:
        calibration: of the vehicle.
        motion: ego-motion ``lidar_at_scan_from_lidar_at_image``: ``(3,)`` x, y [m], yaw [rad], or
            a ``(4, 4)`` rigid transform.

    Raises:
        ValueError: if ``motion`` has another shape.
    """
    if motion.shape == (3,):
        motion = pose_matrix(*motion.unbind())
    check_shape(motion, 4, 4, name="motion")
    camera_from_lidar = calibration.camera_from_lidar @ rigid_inverse(motion).to(
        calibration.camera_from_lidar
    )
    return calibration._replace(camera_from_lidar=camera_from_lidar)
