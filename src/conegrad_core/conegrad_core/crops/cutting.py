"""Pictures of single cones, sampled out of an image so that a gradient reaches the boxes."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from conegrad_core.camera.image import ImageLevels, RgbImage, check_image
from conegrad_core.camera.letterbox import PADDING
from conegrad_core.crops.crops import Crops
from conegrad_core.shapes import check_shape

SIZE = 40  # [px], side of a picture; a cone at 12 m is 19 px high in 1280x720, its window 29 px
WINDOW = 1.5  # side of a window per longer side of its box
MIN_SIDE = 4.0  # [px], of a window; smaller boxes, and those that are inside out, get this one
OVERSAMPLING = 2  # samples per picture pixel and axis, averaged: windows up to 4 x SIZE don't alias


def cut_crops(
    image: RgbImage | ImageLevels, boxes_xyxy: Tensor, size: int = SIZE, window: float = WINDOW
) -> Crops:
    """Cut a square picture around each box, bilinearly; differentiable in the boxes.

    Args:
        image: ``(height, width, 3)`` uint8 RGB, or its levels, which then get a gradient.
        boxes_xyxy: ``(K, 4)`` [px], anywhere; pictures take their dtype and device. As in camera
            calibrations and true boxes, 0 is the middle of the first pixel.
        size: side S of the pictures [px].
        window: side of a window per longer side of its box.

    Returns:
        Pictures ``(K, 3, S, S)``, grey outside the image, and their windows.

    Raises:
        ValueError: if the image is of another kind, or a box is not finite.
    """
    check_image(image)
    windows = windows_around(boxes_xyxy, window)
    if not bool(windows.isfinite().all()):
        row = int((~windows.isfinite()).any(dim=-1).nonzero()[0])
        raise ValueError(f"boxes_xyxy has {boxes_xyxy[row].tolist()} in row {row}, expected finite")
    if not len(windows):
        return Crops(windows.new_zeros(0, 3, size, size), windows)
    left, top, right, bottom = _region(image, windows.detach())
    pixels = _planes(image[top:bottom, left:right], windows)
    grid = _sample_places(windows, (left, top, right, bottom), size * OVERSAMPLING)
    # Zero is the padding's grey here.
    samples = functional.grid_sample(pixels, grid, padding_mode="zeros", align_corners=False)
    pictures = _averaged(samples).view(3, len(windows), size, size).transpose(0, 1)
    return Crops((pictures + PADDING) / 255, windows)


def windows_around(boxes_xyxy: Tensor, window: float = WINDOW) -> Tensor:
    """Square windows ``(K, 4)`` around the centres of boxes [px]; differentiable.

    Args:
        boxes_xyxy: ``(K, 4)`` [px].
        window: side of a window per longer side of its box.

    Raises:
        ValueError: if the boxes have another shape.
    """
    check_shape(boxes_xyxy, None, 4, name="boxes_xyxy")
    corner, opposite = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    sides = (window * (opposite - corner).amax(dim=-1, keepdim=True)).clamp(min=MIN_SIDE)
    centres = (corner + opposite) / 2
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=-1)


def _region(image: RgbImage | ImageLevels, windows: Tensor) -> tuple[int, int, int, int]:
    """The pixels that windows touch: left, top, right, bottom; at least one, inside the image."""
    height, width = image.shape[:2]
    low, high = windows.amin(dim=0).tolist()[:2], windows.amax(dim=0).tolist()[2:]
    left, right = _pixels_between(low[0], high[0], width)
    top, bottom = _pixels_between(low[1], high[1], height)
    return left, top, right, bottom


def _pixels_between(low: float, high: float, size: int) -> tuple[int, int]:
    """First pixel of a range with its neighbours, and the one after the last; of 0 to size."""
    first = int(min(max(low - 1, 0), size - 1))
    return first, int(min(max(high + 2, first + 1), size))


def _planes(pixels: RgbImage | ImageLevels, like: Tensor) -> Tensor:
    """``(1, 3, H, W)`` values above the padding's grey, laid out as in the image."""
    if isinstance(pixels, Tensor):
        return (pixels - PADDING).to(like.device, like.dtype).permute(2, 0, 1)[None]
    dtype = np.float64 if like.dtype == torch.float64 else np.float32
    above = torch.from_numpy(np.subtract(pixels, PADDING, dtype=dtype))
    return above.to(like.device, like.dtype).permute(2, 0, 1)[None]


def _sample_places(windows: Tensor, region: tuple[int, int, int, int], count: int) -> Tensor:
    """``(1, K * count, count, 2)`` places of samples; -1 and 1 are the edges of the region."""
    left, top, right, bottom = region
    shift = windows.new_tensor([left, top])
    extent = windows.new_tensor([right - left, bottom - top])
    # Windows count from the middle of the first pixel, the grid from its edge.
    first = 2 * (windows[:, :2] + 0.5 - shift) / extent - 1
    sides = 2 * (windows[:, 2:] - windows[:, :2]) / extent
    steps = (torch.arange(count, dtype=windows.dtype, device=windows.device) + 0.5) / count
    columns, rows = (first[:, None] + steps[:, None] * sides[:, None]).unbind(dim=-1)
    places = torch.broadcast_tensors(columns[:, None, :], rows[:, :, None])
    return torch.stack(places, dim=-1).view(1, -1, count, 2)


def _averaged(samples: Tensor) -> Tensor:
    """Means of 2 x 2 samples; four times as fast as ``avg_pool2d``."""
    rows = samples[..., ::2, :] + samples[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) / OVERSAMPLING**2
