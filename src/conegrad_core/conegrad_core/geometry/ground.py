"""Rays through the image and the ground plane below the LiDAR."""

import torch
from torch import Tensor

from conegrad_core.shapes import check_shape

MIN_INVERSE_DEPTH = 1e-3  # [1/m], rays that meet the ground beyond 1 km count as horizontal


def camera_rays(normalized: Tensor, camera_from_lidar: Tensor) -> tuple[Tensor, Tensor]:
    """Rays of ideal image coordinates in the LiDAR frame.

    Differentiable in both arguments. A point at depth d along the optical axis lies at
    ``origin + d * direction``.

    Args:
        normalized: ``(..., N, 2)`` ideal coordinates (x/z, y/z).
        camera_from_lidar: ``(4, 4)`` rigid transform into the optical frame.

    Returns:
        ``(3,)`` origin of all rays [m] and ``(..., N, 3)`` directions, both in the LiDAR frame.

    Raises:
        ValueError: if an argument has another shape.
    """
    check_shape(normalized, None, 2, name="normalized")
    check_shape(camera_from_lidar, 4, 4, name="camera_from_lidar")
    rotation = camera_from_lidar[:3, :3]
    origin = -(camera_from_lidar[:3, 3] @ rotation)
    return origin, normalized @ rotation[:2] + rotation[2]


def inverse_ground_depth(origin: Tensor, directions: Tensor, lidar_height: float) -> Tensor:
    """Inverse depth at which rays meet the ground plane ``z = -lidar_height``.

    Linear in the ray, hence well behaved at the horizon (0) and above it (negative).

    Args:
        origin: ``(3,)`` of the rays in the LiDAR frame [m]; above the ground.
        directions: ``(..., 3)`` with unit component along the optical axis.
        lidar_height: of the LiDAR above the ground [m].

    Returns:
        ``(...)`` inverse depth along the optical axis [1/m].

    Raises:
        ValueError: if the camera is not above the ground.
    """
    camera_height = origin[2] + lidar_height
    height = float(camera_height.detach())
    if not height > 0:
        raise ValueError(
            f"camera is {height:.3f} m above the ground, expected a height above 0: "
            f"check camera_from_lidar and lidar_height ({lidar_height} m)"
        )
    return -directions[..., 2] / camera_height


def ground_points(
    normalized: Tensor, camera_from_lidar: Tensor, lidar_height: float
) -> tuple[Tensor, Tensor]:
    """Where rays meet the ground.

    Differentiable in ``normalized`` and ``camera_from_lidar``.

    Args:
        normalized: ``(..., N, 2)`` ideal coordinates (x/z, y/z).
        camera_from_lidar: ``(4, 4)`` rigid transform into the optical frame.
        lidar_height: of the LiDAR above the ground [m].

    Returns:
        ``(..., N, 2)`` positions x, y in the LiDAR frame [m], and the ``(..., N)`` mask of rays
        that point below the horizon. Positions outside the mask are finite but mean nothing.

    Raises:
        ValueError: if a shape is wrong or the camera not above the ground.
    """
    origin, directions = camera_rays(normalized, camera_from_lidar)
    inverse_depth = inverse_ground_depth(origin, directions, lidar_height)
    below_horizon = inverse_depth > MIN_INVERSE_DEPTH
    depth = 1 / torch.where(below_horizon, inverse_depth, torch.ones_like(inverse_depth))
    return origin[:2] + depth[..., None] * directions[..., :2], below_horizon
