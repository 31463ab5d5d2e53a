"""Rays through the image in the LiDAR frame."""

from torch import Tensor

from conegrad_core.shapes import check_shape


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
