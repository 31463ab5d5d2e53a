"""Statistics of an image that change with light, weather, dirt, lens and camera."""

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage, check_image

Floats = npt.NDArray[np.float64]

COARSE = (160, 96)  # width and height of the image that most statistics are taken from [px]
BLOCK = 8  # [px] of the coarse image, side of the blocks of local contrast
TILE = 256  # [px] of the full image, side of the part that sharpness and noise are taken from
EPSILON = 1e-3

IMAGE_STATISTICS = (
    "light_upper", "light_lower", "dark_percentile", "bright_percentile", "clipped", "contrast",
    "saturation", "red_green", "blue_green", "dark_channel", "edges", "fine_edges", "sharpness",
    "noise", "flat_blocks", "contrast_spread", "column_steps", "row_steps",
)  # fmt: skip


def image_statistics(image: RgbImage) -> Floats:
    """``(18,)`` statistics in the order of :data:`IMAGE_STATISTICS`.

    Args:
        image: ``(height, width, 3)``.

    Raises:
        ValueError: if it has another shape.
    """
    check_image(image)
    coarse = cv2.resize(image, COARSE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    grey = coarse @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    red, green, blue = (float(coarse[..., channel].mean()) for channel in range(3))
    half = COARSE[1] // 2
    dark, bright = np.percentile(grey, [5.0, 95.0])
    most, least = coarse.max(axis=-1), coarse.min(axis=-1)
    blocks = grey.reshape(COARSE[1] // BLOCK, BLOCK, COARSE[0] // BLOCK, BLOCK).std(axis=(1, 3))
    tile = _tile(image)
    smooth = cv2.GaussianBlur(tile, (0, 0), 1.5)
    found = [
        grey[:half].mean(),
        grey[half:].mean(),
        dark,
        bright,
        np.log((grey > 0.98).mean() + EPSILON),
        np.log(grey.std() + EPSILON),
        ((most - least) / (most + EPSILON)).mean(),
        np.log((red + EPSILON) / (green + EPSILON)),
        np.log((blue + EPSILON) / (green + EPSILON)),
        cv2.erode(least, np.ones((5, 5), np.uint8)).mean(),
        np.log(_gradient(grey) + EPSILON),
        np.log(_gradient(tile) + EPSILON),
        np.log(cv2.Laplacian(smooth, cv2.CV_32F).std() + EPSILON),
        np.log(np.median(np.abs(tile - cv2.medianBlur(tile, 3))) + EPSILON),
        (blocks < 0.01).mean(),
        np.log(blocks.std() + EPSILON),
        np.log(np.abs(np.diff(grey.mean(axis=0))).max() + EPSILON),
        np.log(np.abs(np.diff(grey.mean(axis=1))).max() + EPSILON),
    ]
    return np.asarray(found, dtype=np.float64)


def _tile(image: RgbImage) -> npt.NDArray[np.float32]:
    """Grey part of full resolution around the middle, from 0 to 1."""
    height, width = image.shape[:2]
    top, left = max(0, (height - TILE) // 2), max(0, (width - TILE) // 2)
    part = np.ascontiguousarray(image[top : top + TILE, left : left + TILE])
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    scaled: npt.NDArray[np.float32] = np.asarray(grey, dtype=np.float32) / np.float32(255.0)
    return scaled


def _gradient(grey: npt.NDArray[np.float32]) -> float:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return float(np.hypot(across, down).mean())
