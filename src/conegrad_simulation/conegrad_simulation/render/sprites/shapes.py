"""Shapes and paints that the pictures of obstacles are made of."""

import cv2
import numpy as np

from conegrad_simulation.render.texture import Bytes

BRIGHT = (
    (190, 90, 20),
    (0, 200, 240),
    (20, 90, 240),
    (40, 40, 220),
    (60, 170, 60),
    (230, 230, 235),
)


def bright_or_grey(rng: np.random.Generator, chance: float = 0.6) -> np.ndarray:
    """A bright paint with some probability, otherwise a grey one; blue green red."""
    if rng.random() < chance:
        return np.array(BRIGHT[int(rng.integers(len(BRIGHT)))]) * rng.uniform(0.6, 1.1)
    return rng.uniform(20, 220) * rng.uniform(0.9, 1.1, 3)


def rgba(colour: np.ndarray | tuple[int, ...]) -> tuple[float, ...]:
    """An opaque colour."""
    return (*np.clip(colour, 0, 255).tolist(), 255)


def draw_box(
    picture: Bytes, x0: float, y0: float, x1: float, y1: float, colour: np.ndarray
) -> None:
    """Rectangle between shares of the picture's width and height, from the top left."""
    height, width = picture.shape[:2]
    low, high = (round(x0 * width), round(y0 * height)), (round(x1 * width), round(y1 * height))
    cv2.rectangle(picture, low, high, rgba(colour), -1)


def draw_round(
    picture: Bytes, x: float, y: float, rx: float, ry: float, colour: np.ndarray
) -> None:
    """Ellipse; centre and half axes in shares of the picture's width and height."""
    height, width = picture.shape[:2]
    centre, axes = (round(x * width), round(y * height)), (round(rx * width), round(ry * height))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, rgba(colour), -1)
