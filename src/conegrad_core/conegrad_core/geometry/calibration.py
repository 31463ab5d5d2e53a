"""Where the sensors are: what the fusion must know about a vehicle."""

from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.camera import CameraModel, check_camera
from conegrad_core.geometry.mounting import check_upright, lidar_up
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse, rigid_matrix
from conegrad_core.shapes import check_shape


class Calibration(NamedTuple):
    """Geometry of a camera and a level planar LiDAR above flat ground.

    Attributes:
        camera: intrinsics and distortion.
        camera_from_lidar: ``(4, 4)`` rigid transform into the camera's optical frame.
        lidar_height: of the LiDAR above the ground [m]; the ground is ``z = ground_z`` in the
            LiDAR frame. :func:`mounted_calibration` sees to that for a tilted LiDAR. A ``()``
            tensor where it is an input of a recorded graph.
        up: z of the upward direction in the LiDAR frame: 1, or -1 where it hangs upside down.
    """

    camera: CameraModel
    camera_from_lidar: Tensor
    lidar_height: float
    up: float = 1.0

    @property
    def ground_z(self) -> float:
        """Height of the ground in the LiDAR frame [m]."""
        return -self.up * self.lidar_height


def mounted_calibration(
    camera: CameraModel, camera_from_lidar: Tensor, base_from_lidar: Tensor
) -> Calibration:
    """Calibration of sensors as mounted, in the levelled frame of the LiDAR.

    The levelled frame has the origin and the heading of the LiDAR, and a vertical z, which points
    down where the LiDAR hangs upside down: the ground is flat in it, also where the LiDAR is
    tilted on the car. The x and y of a scan count as coordinates in it, which at a tilt of 3
    degrees is wrong by 0.14 %.

    Args:
        camera: intrinsics and distortion.
        camera_from_lidar: ``(4, 4)`` rigid transform into the camera's optical frame.
        base_from_lidar: ``(4, 4)`` rigid transform into the car's frame, z = 0 on the ground.

    Raises:
        ValueError: if a matrix is not ``(4, 4)``, the LiDAR is tilted too far or below the
            ground, or the camera sees no ground or no upright cones.
    """
    check_shape(camera_from_lidar, 4, 4, name="camera_from_lidar")
    up = lidar_up(base_from_lidar)
    rotation = base_from_lidar[:3, :3]
    heading = pose_matrix(0.0, 0.0, torch.atan2(rotation[1, 0], rotation[0, 0])).to(rotation)
    level = heading[:3, :3] @ rotation.new_tensor([1.0, up, up]).diag()
    lidar_from_level = rigid_matrix(rotation.mT @ level, rotation.new_zeros(3))
    camera_from_level = camera_from_lidar @ lidar_from_level.to(camera_from_lidar)
    calibration = Calibration(camera, camera_from_level, float(base_from_lidar[2, 3]), up)
    check_calibration(calibration)
    return calibration


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
    lift = float(-(calibration.camera_from_lidar[:3, 3] @ rotation)[2].detach())
    camera_height = calibration.lidar_height + calibration.up * lift
    if not 0 < camera_height < float("inf"):
        raise ValueError(f"the camera is {camera_height:.3f} m above the ground, expected above 0")
    check_upright(calibration.up * rotation[:, 2].detach(), calibration.camera)


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
