"""Crops of simulated frames for training: placed on cones, scaled, mirrored, recoloured."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.camera.image import RgbImage

ZOOM = (0.65, 1.5)  # range of the scale
STRETCH = 1.2  # largest ratio of horizontal to vertical scale
BACKGROUND = 0.12  # share of crops placed anywhere instead of on a cone
MIN_VISIBLE = 0.25  # share of a box that must lie inside the crop
MIN_SIDES = (2.0, 3.0)  # narrower or lower boxes teach nothing [px]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class LabelledImage(NamedTuple):
    """An image with the boxes of its cones (N rows).

    Attributes:
        image: ``(height, width, 3)`` RGB.
        boxes_xyxy: ``(N, 4)`` [px].
        classes: ``(N,)`` :class:`conegrad_core.cones.ConeClass`.
    """

    image: RgbImage
    boxes_xyxy: Floats
    classes: Ints


def random_crop(
    frame: LabelledImage, size: tuple[int, int], rng: np.random.Generator
) -> LabelledImage:
    """A crop of ``size`` (width, height) [px], placed on a cone of a class drawn evenly."""
    zoom = np.exp(rng.uniform(*np.log(ZOOM)))
    stretch = np.exp(0.5 * rng.uniform(-1, 1) * np.log(STRETCH))
    limits = np.array([frame.image.shape[1], frame.image.shape[0]])
    window = np.minimum(np.round(np.array(size) / (zoom * stretch, zoom / stretch)), limits)
    corner = _place(frame, rng) + window * (rng.uniform(-0.4, 0.4, 2) - 0.5)
    left, top = np.clip(np.round(corner), 0, limits - window).astype(int)
    width, height = window.astype(int)
    part = frame.image[top : top + height, left : left + width]
    area = cv2.INTER_AREA if width > size[0] else cv2.INTER_LINEAR
    image: RgbImage = cv2.resize(part, size, interpolation=area)
    boxes = (frame.boxes_xyxy - np.array([left, top] * 2)) * np.tile(np.array(size) / window, 2)
    return _inside(LabelledImage(image, boxes.astype(np.float32), frame.classes))


def _place(frame: LabelledImage, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Centre of a random cone, now and then any point of the image."""
    if not len(frame.classes) or rng.random() < BACKGROUND:
        return rng.uniform(0, 1, 2) * (frame.image.shape[1], frame.image.shape[0])
    chosen = rng.choice(np.unique(frame.classes))
    left, top, right, bottom = rng.choice(frame.boxes_xyxy[frame.classes == chosen])
    return np.array([(left + right) / 2, (top + bottom) / 2])


def _inside(frame: LabelledImage) -> LabelledImage:
    """The frame with its boxes clipped to the image, without those hardly visible."""
    height, width = frame.image.shape[:2]
    boxes = frame.boxes_xyxy
    clipped = np.clip(boxes, 0, np.array([width, height] * 2, dtype=np.float32))
    before, after = boxes[:, 2:] - boxes[:, :2], clipped[:, 2:] - clipped[:, :2]
    kept = (after >= MIN_SIDES).all(1) & (after.prod(1) >= MIN_VISIBLE * before.prod(1))
    return LabelledImage(frame.image, clipped[kept], frame.classes[kept])


def varied(frame: LabelledImage, rng: np.random.Generator) -> LabelledImage:
    """The frame mirrored half of the time, with other gains and contrast per colour."""
    image, boxes = frame.image, frame.boxes_xyxy
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        left, top, right, bottom = boxes.T
        boxes = np.stack([image.shape[1] - right, top, image.shape[1] - left, bottom], 1)
    return LabelledImage(_recoloured(image, rng), boxes, frame.classes)


def _recoloured(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    gains = np.exp(rng.normal(0, 0.04, 3) + rng.normal(0, 0.12))
    gamma = np.exp(rng.normal(0, 0.1))
    levels = (np.arange(256)[:, None] / 255.0) ** gamma * gains
    table = np.clip(levels * 255, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
    recoloured: RgbImage = cv2.LUT(image, table)
    return recoloured


def whole(frame: LabelledImage) -> LabelledImage:
    """The frame itself, with boxes clipped to the image."""
    return _inside(frame)
