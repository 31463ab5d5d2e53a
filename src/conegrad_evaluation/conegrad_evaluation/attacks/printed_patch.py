"""A printed picture in the world: where it is, and what the camera sees of it.

The camera's model puts it into the image, lens included: a ray through each pixel meets the plane
of the picture. It is lit as it was printed; no shadow falls on it and nothing stands before it.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from conegrad_core.camera.image import ImageLevels
from conegrad_core.geometry.camera import CameraModel, project, undistort_pixels
from conegrad_core.geometry.ground import camera_rays

PARALLEL = 1e-6  # smaller products of ray and normal count as parallel to the plane


class PatchPlace(NamedTuple):
    """A rectangle in the LiDAR frame [m].

    Attributes:
        centre: ``(3,)``.
        right: ``(3,)`` from the centre to the middle of its right edge.
        top: ``(3,)`` from the centre to the middle of its top edge.
    """

    centre: Tensor
    right: Tensor
    top: Tensor

    def corners(self) -> Tensor:
        """``(4, 3)``."""
        signs = self.centre.new_tensor([[-1, 1], [1, 1], [1, -1], [-1, -1]])
        return self.centre + signs[:, :1] * self.right + signs[:, 1:] * self.top


def with_patch(
    levels: ImageLevels,
    texture: Tensor,
    place: PatchPlace,
    camera: CameraModel,
    camera_from_lidar: Tensor,
) -> ImageLevels:
    """An image in which a printed picture stands; differentiable in the picture.

    Args:
        levels: ``(height, width, 3)`` of the image, 0 to 255.
        texture: ``(3, S, S)`` levels of the picture, its top row first.
        place: where it is.
        camera: of the image.
        camera_from_lidar: ``(4, 4)`` rigid transform into the optical frame at the image's stamp.

    Returns:
        The same levels where no pixel shows the picture.
    """
    region = _region(place, camera, camera_from_lidar)
    if region is None:
        return levels
    left, top, right, bottom = region
    rows, columns = torch.meshgrid(
        torch.arange(top, bottom), torch.arange(left, right), indexing="ij"
    )
    pixels = torch.stack([columns, rows], dim=-1).to(camera_from_lidar)
    across, along, in_front = _on_plane(pixels, place, camera, camera_from_lidar)
    seen = in_front & (across.abs() <= 1) & (along.abs() <= 1)
    grid = torch.stack([across, -along], dim=-1)[None].to(texture)
    printed = grid_sample(
        texture[None], grid.nan_to_num(), padding_mode="border", align_corners=False
    )[0]
    covered = torch.where(seen[..., None], printed.permute(1, 2, 0), levels[top:bottom, left:right])
    whole = levels.clone()
    whole[top:bottom, left:right] = covered
    return whole


def _region(
    place: PatchPlace, camera: CameraModel, camera_from_lidar: Tensor
) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the pixels that may show a rectangle; None where it is not."""
    corners, visible = project(place.corners().to(camera_from_lidar), camera_from_lidar, camera)
    if not bool(visible.all()):
        return None
    low = corners.amin(0).floor().long().tolist()
    high = (corners.amax(0).ceil().long() + 1).tolist()
    left, top = max(low[0], 0), max(low[1], 0)
    right, bottom = min(high[0], camera.width), min(high[1], camera.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _on_plane(
    pixels: Tensor, place: PatchPlace, camera: CameraModel, camera_from_lidar: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Where the rays of pixels meet a plane: in halves of its sides, and whether in front."""
    normalized = undistort_pixels(pixels.flatten(0, 1), camera)
    origin, directions = camera_rays(normalized, camera_from_lidar)
    centre, right, top = (part.to(origin) for part in place)
    normal = torch.linalg.cross(right, top)
    slope = directions @ normal
    slope = torch.where(slope.abs() < PARALLEL, torch.full_like(slope, torch.nan), slope)
    depth = ((centre - origin) @ normal) / slope
    offset = origin + depth[:, None] * directions - centre
    across, along = (offset @ axis / (axis @ axis) for axis in (right, top))
    shape = pixels.shape[:2]
    return across.view(shape), along.view(shape), (depth > 0).view(shape)
