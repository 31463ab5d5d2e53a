"""Variations of the patches of cones: light, sharpness, noise, coding, and things before them."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage
from conegrad_training.crops.cone_patches import ConePatch, Singles, mirrored_patch

SHARES = {"mirror": 0.5, "blur": 0.25, "noise": 0.3, "jpeg": 0.2, "cover": 0.15}
COLOUR_SPREAD = 0.03  # of the log gains of red, green and blue; more would turn orange to yellow
LIGHT_SPREAD = 0.2  # of the log brightness
GAMMA_SPREAD = 0.12  # of the log exponent
# Spread of boxes around the true ones, a little wider than those of the shipped detector are on
# simulated images: as shares of the longer side, and what it adds [px] for small boxes.
CENTRE_SPREAD, CENTRE_PIXELS = 0.03, 0.7
SIDE_SPREAD, SIDE_PIXELS = 0.08, 1.0
LARGEST_SHIFT, LARGEST_SCALE = 0.35, 0.5  # of the centre, and of the log sides


def varied_patch(patch: ConePatch, rng: np.random.Generator) -> ConePatch:
    """A variation; keypoints behind a cover are not visible."""
    draws = {name: rng.random() < share for name, share in SHARES.items()}
    if draws["mirror"]:
        patch = mirrored_patch(patch)
    if draws["cover"]:
        patch = _covered(patch, rng)
    image = _relit(patch.image, rng)
    if draws["blur"]:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.3)), dtype=np.uint8)
    if draws["noise"]:
        noise = rng.normal(0.0, rng.uniform(1.0, 8.0), image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if draws["jpeg"]:
        image = _coded(image, int(rng.integers(35, 90)))
    return patch._replace(image=image)


def jittered_boxes(
    patch: ConePatch, count: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """``(count, 4)`` boxes of the cone as a detector finds them [px of the patch]."""
    box = patch.box_xyxy
    centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    longer = float(sides.max())
    pixels = longer / patch.scale  # in the original image
    shifts = rng.normal(0.0, CENTRE_SPREAD + CENTRE_PIXELS / pixels, (count, 2))
    scales = rng.normal(0.0, SIDE_SPREAD + SIDE_PIXELS / pixels, (count, 2))
    centres = centre + longer * shifts.clip(-LARGEST_SHIFT, LARGEST_SHIFT)
    halves = sides / 2 * np.exp(scales.clip(-LARGEST_SCALE, LARGEST_SCALE))
    return np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)


def _relit(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    gains = np.exp(rng.normal(0, COLOUR_SPREAD, 3) + rng.normal(0, LIGHT_SPREAD))
    gamma = math.exp(rng.normal(0, GAMMA_SPREAD))
    levels = (np.arange(256)[:, None] / 255.0) ** gamma * gains
    table = np.clip(levels * 255, 0, 255).astype(np.uint8)[None]
    relit: RgbImage = cv2.LUT(image, table)
    return relit


def _coded(image: RgbImage, quality: int) -> RgbImage:
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _covered(patch: ConePatch, rng: np.random.Generator) -> ConePatch:
    """A grey or coloured board hides a part of the cone, from one side or from below."""
    left, top, right, bottom = patch.box_xyxy
    share, side = rng.uniform(0.15, 0.5), rng.integers(3)
    edges = {
        0: (-1.0, top, left + share * (right - left), bottom),
        1: (right - share * (right - left), top, patch.image.shape[1], bottom),
        2: (left, bottom - share * (bottom - top), right, patch.image.shape[0]),
    }[int(side)]
    x0, y0, x1, y1 = (int(value) for value in np.rint(edges).clip(0))
    image = patch.image.copy()
    grey, tint = rng.uniform(20, 230), rng.normal(0, 12, 3)
    image[y0:y1, x0:x1] = (grey + tint).clip(0, 255).astype(np.uint8)
    return patch._replace(
        image=image, visible=patch.visible & ~_inside(patch.keypoints, (x0, y0, x1, y1))
    )


def _inside(points: Singles, box: tuple[int, int, int, int]) -> npt.NDArray[np.bool_]:
    u, v = points.T
    return np.asarray((u >= box[0] - 0.5) & (u < box[2]) & (v >= box[1] - 0.5) & (v < box[3]))
