"""A frame as it really was: true cones, and where they are in the picture and in the scan."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass, TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.camera import CameraModel, project
from conegrad_core.geometry.transforms import pose_matrix, rigid_inverse
from conegrad_core.keypoints.cone_model import TOP_RADIUS

BASE_RADIUS = 0.58  # from the axis to the front edge of the base, as a share of its width
HEIGHTS = torch.tensor((*CONE_HEIGHTS, CONE_HEIGHTS[ConeClass.BLUE]))
WIDTHS = torch.tensor((*CONE_WIDTHS, CONE_WIDTHS[ConeClass.BLUE]))
MIN_DISTANCE = 0.3  # [m], nearer than this to the camera a cone has no useful box


class TrueScene(NamedTuple):
    """What is known of a frame beside what its stages say.

    Attributes:
        truth: true cones in the LiDAR frame of the calibration at the stamp of the scan.
        calibration: that puts the true cones where they are in the picture: the given one, or a
            refined one where the given one is wrong; None where there is none.
        motion: ``(4, 4)`` ``lidar_at_scan_from_lidar_at_image``, likewise; None: the car stood.
        lidar_from_scan: ``(4, 4)`` pose of the scan in the frame of the truth; None: no error.
    """

    truth: TrueCones
    calibration: Calibration | None
    motion: Tensor | None = None
    lidar_from_scan: Tensor | None = None

    @property
    def camera_from_lidar(self) -> Tensor:
        """``(4, 4)`` from the frame of the truth to the camera when the image was taken.

        Raises:
            ValueError: without a calibration.
        """
        if self.calibration is None:
            raise ValueError("the scene has no calibration, expected one for the camera")
        return moved_camera(self.calibration.camera_from_lidar, self.motion)

    def in_scan(self) -> Tensor:
        """``(N, 2)`` true positions in the frame of the scan as it was taken [m]."""
        positions = self.truth.positions
        if self.lidar_from_scan is None:
            return positions
        scan_from_lidar = rigid_inverse(self.lidar_from_scan).to(positions)
        return positions @ scan_from_lidar[:2, :2].mT + scan_from_lidar[:2, 3]


def moved_camera(camera_from_lidar: Tensor, motion: Tensor | None) -> Tensor:
    """``(4, 4)`` camera at the image from the LiDAR at the scan.

    Args:
        camera_from_lidar: ``(4, 4)`` of both at one time.
        motion: as of the fusion, ``(3,)`` or ``(4, 4)``; None: none.
    """
    if motion is None:
        return camera_from_lidar
    if motion.shape == (3,):
        motion = pose_matrix(*motion.unbind())
    return camera_from_lidar @ rigid_inverse(motion).to(camera_from_lidar)


class ConeOutlines(NamedTuple):
    """Where the cones of a frame are in the picture.

    Attributes:
        boxes_xyxy: ``(N, 4)`` as a perfect detector draws them, not cut at the image [px].
        in_front: ``(N,)`` the camera could see it, were the image large enough.
    """

    boxes_xyxy: Tensor
    in_front: Tensor


def cone_outlines(
    positions: Tensor,
    classes: Tensor,
    camera_from_lidar: Tensor,
    camera: CameraModel,
    ground_z: float,
    up: float = 1.0,
) -> ConeOutlines:
    """Boxes of upright cones: foot at the front edge of the base, top at the tip.

    Args:
        positions: ``(N, 2)`` of the axes in the LiDAR frame [m].
        classes: ``(N,)`` :class:`~conegrad_core.cones.ConeClass`.
        camera_from_lidar: ``(4, 4)`` rigid transform into the optical frame.
        camera: intrinsics and distortion.
        ground_z: height of the ground in the LiDAR frame [m].
        up: z of the upward direction.
    """
    heights, widths = HEIGHTS.to(positions)[classes], WIDTHS.to(positions)[classes]
    eye = -(camera_from_lidar[:3, 3] @ camera_from_lidar[:3, :3])[:2].to(positions)
    sight = positions - eye
    distance = sight.norm(dim=-1, keepdim=True).clamp(min=MIN_DISTANCE)
    sight = sight / distance
    front = positions - BASE_RADIUS * widths[:, None] * sight
    aside = torch.stack([-sight[:, 1], sight[:, 0]], dim=-1) * (0.5 * widths[:, None])
    foot = pad(front, (0, 1), value=ground_z)
    rim = positions + TOP_RADIUS * widths[:, None] * sight  # seen from above, the far side is top
    tip = pad(rim, (0, 1), value=ground_z) + pad(up * heights[:, None], (2, 0))
    sides = [pad(positions + sign * aside, (0, 1), value=ground_z) for sign in (1.0, -1.0)]
    points = torch.stack([foot, tip, *sides])  # (4, N, 3)
    pixels, in_front = project(points.to(camera_from_lidar), camera_from_lidar, camera)
    left = torch.minimum(pixels[2, :, 0], pixels[3, :, 0])
    right = torch.maximum(pixels[2, :, 0], pixels[3, :, 0])
    boxes = torch.stack([left, pixels[1, :, 1], right, pixels[0, :, 1]], dim=-1)
    return ConeOutlines(boxes.to(positions), in_front.all(0))


def true_outlines(scene: TrueScene) -> ConeOutlines:
    """Outlines of all true cones of a scene.

    Raises:
        ValueError: if the scene has no calibration.
    """
    if scene.calibration is None:
        raise ValueError("the scene has no calibration, expected one for the camera")
    return cone_outlines(
        scene.truth.positions,
        scene.truth.classes,
        scene.camera_from_lidar,
        scene.calibration.camera,
        scene.calibration.ground_z,
        scene.calibration.up,
    )
