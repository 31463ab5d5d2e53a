"""Camera geometry: from points in the LiDAR frame to pixels and back to rays."""

from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.distortion import (
    check_distortion,
    distort_points,
    distortion_limit,
    undistort_points,
)
from conegrad_core.shapes import check_shape

MIN_DEPTH = 1e-3  # [m], nearer than this a point has no useful pixel


class CameraModel(NamedTuple):
    """Geometry of one camera, as in sensor_msgs/CameraInfo.

    Attributes:
        width: of the image [px].
        height: of the image [px].
        intrinsics: ``(3, 3)`` camera matrix K [px].
        distortion: ``(D,)`` coefficients in OpenCV's order.
        distortion_model: "plumb_bob" (D = 4 or 5), "rational_polynomial" (8),
            "equidistant" (4) or "none" (0).
        max_radius: largest ideal radius that is seen, ``()``, for a recorded graph, which cannot
            work it out of the coefficients; None: :func:`distortion_limit` of them.
    """

    width: int
    height: int
    intrinsics: Tensor
    distortion: Tensor
    distortion_model: str
    max_radius: Tensor | None = None


def pinhole_camera(width: int, height: int, horizontal_view: float) -> CameraModel:
    """Ideal camera with square pixels and a horizontal field of view [rad]."""
    focal = 0.5 * width / torch.tan(torch.tensor(0.5 * horizontal_view, dtype=torch.float64))
    intrinsics = torch.tensor(
        [[float(focal), 0.0, 0.5 * width], [0.0, float(focal), 0.5 * height], [0.0, 0.0, 1.0]]
    )
    return CameraModel(width, height, intrinsics, torch.zeros(0), "none")


def check_camera(model: CameraModel) -> None:
    """Refuse a camera model that cannot be used.

    Raises:
        ValueError: naming the field, its value and what was expected.
    """
    check_shape(model.intrinsics, 3, 3, name="intrinsics")
    check_distortion(model.distortion, model.distortion_model)
    if model.width < 1 or model.height < 1:
        raise ValueError(f"image size is {model.width}x{model.height}, expected at least 1x1")
    for name, values in (("intrinsics are", model.intrinsics), ("distortion is", model.distortion)):
        if not bool(torch.isfinite(values).all()):
            raise ValueError(f"{name} {values.tolist()}, expected finite values")
    if not bool((model.intrinsics.diagonal() > 0).all()):
        focal = model.intrinsics.diagonal()[:2].tolist()
        raise ValueError(f"focal lengths are {focal} px, expected values above 0")


def check_image_size(model: CameraModel, width: int, height: int) -> None:
    """Refuse intrinsics of another image size: everything would be seen in the wrong place.

    Args:
        model: of the camera.
        width: of its images [px].
        height: likewise.

    Raises:
        ValueError: with both sizes, and the factor where the images were scaled.
    """
    if (width, height) == (model.width, model.height):
        return
    factor = width / model.width
    is_scaled = abs(height - factor * model.height) <= 1
    how = f"scaled by {factor:.4g}" if is_scaled else "cropped, or of another mode of the camera"
    raise ValueError(
        f"images are {width}x{height} px, but the intrinsics are for "
        f"{model.width}x{model.height}: the images are {how}; give the intrinsics of what is "
        "published"
    )


def project_points(
    points: Tensor, camera_from_lidar: Tensor, intrinsics: Tensor
) -> tuple[Tensor, Tensor]:
    """Project LiDAR points into a rectified image.

    Differentiable in all three arguments; leading dimensions broadcast.

    Args:
        points: ``(..., N, 3)`` points in the LiDAR frame (x forward, y left, z up) [m].
        camera_from_lidar: ``(..., 4, 4)`` rigid transform into the optical frame
            (x right, y down, z forward).
        intrinsics: ``(..., 3, 3)`` camera matrix K [px].

    Returns:
        ``(..., N, 2)`` pixels (u, v), and the ``(..., N)`` mask of points in front of the
        camera. Pixels outside the mask are finite but mean nothing.

    Raises:
        ValueError: if an argument has another shape.

    Source:
        Hartley & Zisserman, Multiple View Geometry, 2nd ed., section 6.1.
    """
    check_shape(intrinsics, 3, 3, name="intrinsics")
    normalized, visible = project_normalized(points, camera_from_lidar)
    return pixels_from_normalized(normalized, intrinsics), visible


def project_normalized(points: Tensor, camera_from_lidar: Tensor) -> tuple[Tensor, Tensor]:
    """Ideal coordinates (x/z, y/z) of LiDAR points; else like :func:`project_points`."""
    check_shape(points, None, 3, name="points")
    check_shape(camera_from_lidar, 4, 4, name="camera_from_lidar")
    rotation, translation = camera_from_lidar[..., :3, :3], camera_from_lidar[..., None, :3, 3]
    in_camera = points @ rotation.mT + translation
    depth = in_camera[..., 2:]
    return in_camera[..., :2] / depth.clamp(min=MIN_DEPTH), depth[..., 0] > MIN_DEPTH


def project(points: Tensor, camera_from_lidar: Tensor, model: CameraModel) -> tuple[Tensor, Tensor]:
    """Project LiDAR points into the image as the lens draws it.

    Differentiable in the points, the transform, the intrinsics and the distortion.

    Args:
        points: ``(..., N, 3)`` points in the LiDAR frame [m].
        camera_from_lidar: ``(..., 4, 4)`` rigid transform into the optical frame.
        model: intrinsics and distortion.

    Returns:
        ``(..., N, 2)`` pixels, and the ``(..., N)`` mask of points in front of the camera and
        within the range of its distortion model. Pixels outside the mask mean nothing; pixels
        inside it can lie outside the image, see :func:`in_image`.

    Raises:
        ValueError: if a shape is wrong or the distortion model unknown.
    """
    check_camera(model)
    normalized, in_front = project_normalized(points, camera_from_lidar)
    limit: float | Tensor | None = model.max_radius
    if limit is None:
        limit = distortion_limit(model.distortion, model.distortion_model)
    visible = in_front & (normalized.detach().norm(dim=-1) < limit)
    # Cut before distorting: high powers of far points overflow.
    normalized = torch.where(visible[..., None], normalized, normalized.detach().clamp(-1.0, 1.0))
    distorted = distort_points(normalized, model.distortion, model.distortion_model)
    return pixels_from_normalized(distorted, model.intrinsics), visible


def undistort_pixels(pixels: Tensor, model: CameraModel) -> Tensor:
    """Ideal coordinates (x/z, y/z) of the rays through pixels of the image.

    The ray in the optical frame is ``(x, y, 1)``. Differentiable in pixels, intrinsics and
    distortion. Pixels that no ray reaches come out finite and mean nothing.

    Args:
        pixels: ``(..., 2)`` (u, v) in the image as the lens draws it [px].
        model: intrinsics and distortion.

    Raises:
        ValueError: if a shape is wrong or the distortion model unknown.
    """
    check_shape(pixels, 2, name="pixels")
    distorted = normalized_from_pixels(pixels, model.intrinsics)
    return undistort_points(distorted, model.distortion, model.distortion_model)


def pixels_from_normalized(normalized: Tensor, intrinsics: Tensor) -> Tensor:
    """``(..., N, 2)`` pixels of ``(..., N, 2)`` normalised coordinates, by K ``(..., 3, 3)``."""
    return normalized @ intrinsics[..., :2, :2].mT + intrinsics[..., None, :2, 2]


def normalized_from_pixels(pixels: Tensor, intrinsics: Tensor) -> Tensor:
    """``(..., 2)`` normalised coordinates of pixels, for a ``(3, 3)`` camera matrix K."""
    y = (pixels[..., 1] - intrinsics[1, 2]) / intrinsics[1, 1]
    x = (pixels[..., 0] - intrinsics[0, 2] - intrinsics[0, 1] * y) / intrinsics[0, 0]
    return torch.stack([x, y], dim=-1)


def in_image(pixels: Tensor, model: CameraModel) -> Tensor:
    """Mask ``(...)`` of ``(..., 2)`` pixels that lie inside the image."""
    u, v = pixels.detach().unbind(-1)
    return (u >= 0) & (u < model.width) & (v >= 0) & (v < model.height)
