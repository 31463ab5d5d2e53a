"""What the flat-ground model allows: how sensors may be mounted on the car; one check for all."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.camera import CameraModel, undistort_pixels
from conegrad_core.shapes import check_shape

MAX_TILT = math.radians(10.0)  # a scan is then wrong by 1.5 % of the range
MAX_CAMERA_ROLL = math.radians(20.0)  # beyond it the edges of a box are not foot and top
MAX_CAMERA_PITCH = math.radians(60.0)  # looking down further, cones are seen from above


class NotUprightError(ValueError):
    """A camera shows no ground or no upright cones, or its frame is no optical frame."""


class Ground(NamedTuple):
    """The flat ground in a frame whose z axis is vertical.

    Attributes:
        z: of the ground [m].
        up: z of the upward direction: 1, or -1 in the frame of a LiDAR that hangs upside down.
    """

    z: float
    up: float = 1.0


def lidar_up(base_from_lidar: Tensor) -> float:
    """Z of the upward direction in the frame of a LiDAR: 1, or -1 where it hangs upside down.

    Args:
        base_from_lidar: ``(4, 4)`` mounting; z of the base is up, and 0 on the ground.

    Raises:
        ValueError: if the shape is wrong, the scan plane is tilted by more than
            :data:`MAX_TILT`, or the LiDAR is below the ground.
    """
    check_shape(base_from_lidar, 4, 4, name="base_from_lidar")
    upward, height = float(base_from_lidar[2, 2]), float(base_from_lidar[2, 3])
    tilt = math.acos(min(abs(upward), 1.0)) if math.isfinite(upward) else math.nan
    if not tilt <= MAX_TILT:
        raise ValueError(
            f"the LiDAR is tilted by {math.degrees(tilt):.1f} degrees against the ground, expected "
            f"at most {math.degrees(MAX_TILT):.0f} (upright or upside down)"
        )
    if not 0 <= height < math.inf:
        raise ValueError(f"the LiDAR is {height:.3f} m above the ground, expected 0 or more")
    return math.copysign(1.0, upward)


def ground_of(base_from_lidar: Tensor) -> Ground:
    """The ground in the levelled frame of a LiDAR; arguments and errors as :func:`lidar_up`."""
    up = lidar_up(base_from_lidar)
    return Ground(-up * float(base_from_lidar[2, 3]), up)


def check_upright(camera_up: Tensor, camera: CameraModel) -> None:
    """Refuse a camera that shows no ground, or cones that do not stand upright.

    Args:
        camera_up: ``(3,)`` upward direction in the optical frame (x right, y down, z forward).
        camera: its intrinsics, for what it shows.

    Raises:
        NotUprightError: with the angle and what was expected.
    """
    right, down, forward = (float(value) for value in camera_up)
    pitch = math.asin(max(-1.0, min(1.0, -forward)))
    roll = math.atan2(right, -down)
    if pitch > MAX_CAMERA_PITCH:
        raise NotUprightError(
            f"the camera looks down by {math.degrees(pitch):.0f} degrees, expected at most "
            f"{math.degrees(MAX_CAMERA_PITCH):.0f}"
        )
    if not _shows_ground(camera_up, camera):
        raise NotUprightError(
            f"the camera looks up by {math.degrees(-pitch):.0f} degrees and shows no ground: "
            "expected the transform of its optical frame (x right, y down, z forward)"
        )
    if not abs(roll) <= MAX_CAMERA_ROLL:
        raise NotUprightError(
            f"the camera is rolled by {math.degrees(roll):.0f} degrees, expected at most "
            f"{math.degrees(MAX_CAMERA_ROLL):.0f}: turn its images upright, and its frame along"
        )


def _shows_ground(camera_up: Tensor, camera: CameraModel) -> bool:
    """Whether a ray through a corner of the image, or a side's middle, points down."""
    across, along = (0.0, 0.5 * camera.width, 1.0 * camera.width), (0.0, 1.0 * camera.height)
    border = torch.tensor([[u, v] for u in across for v in along])
    rays = torch.nn.functional.pad(undistort_pixels(border, _single(camera)), (0, 1), value=1.0)
    return bool((rays @ camera_up.float() < 0).any())


def _single(camera: CameraModel) -> CameraModel:
    return camera._replace(
        intrinsics=camera.intrinsics.detach().float(), distortion=camera.distortion.detach().float()
    )
