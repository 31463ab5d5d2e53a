"""Pictures of things in the colours of cones: bollards, extinguishers, shoes, flags, panels, lamps.

They are what a detector of cones takes for one in photographs.
"""

from collections.abc import Callable

import cv2
import numpy as np

from conegrad_simulation.render.sprites.shapes import bright_or_grey, draw_box, draw_round, rgba
from conegrad_simulation.render.texture import Bytes
from conegrad_simulation.scene.scene import ObstacleKind

REFLECTIVE = np.array([225, 228, 230])
RED, ORANGE = np.array([35, 35, 200]), np.array([20, 100, 245])


def _polygon(picture: Bytes, points: object, colour: np.ndarray) -> None:
    """Polygon with corners in shares of the picture's width and height."""
    height, width = picture.shape[:2]
    corners = np.round(np.asarray(points, dtype=float) * [width, height]).astype(np.int32)
    cv2.fillPoly(picture, [corners], rgba(colour))


def _bollard(picture: Bytes, rng: np.random.Generator) -> None:
    """A post, drum or barrier foot with reflective bands, straight or nearly so."""
    paint = ORANGE if rng.random() < 0.4 else bright_or_grey(rng, 0.9)
    half, taper = rng.uniform(0.2, 0.48), rng.uniform(0.7, 1.0)
    top, foot = 0.5 - half * taper, 0.5 - half
    _polygon(picture, [[top, 0.03], [1 - top, 0.03], [1 - foot, 1.0], [foot, 1.0]], paint)
    draw_round(picture, 0.5, 0.04, half * taper, 0.035, paint * 0.9)
    bands = int(rng.integers(0, 5))
    for band in range(bands):
        at = (band + 0.35) / bands
        inset = 0.5 - half * (taper + (1 - taper) * at)
        other = REFLECTIVE if rng.random() < 0.8 else np.array([40, 40, 200])
        draw_box(picture, inset, at, 1 - inset, at + 0.45 / bands, other * rng.uniform(0.7, 1.0))


def _extinguisher(picture: Bytes, rng: np.random.Generator) -> None:
    red = RED * rng.uniform(0.6, 1.15)
    draw_box(picture, 0.2, 0.25, 0.8, 1.0, red)
    draw_round(picture, 0.5, 0.25, 0.3, 0.07, red)
    draw_box(picture, 0.4, 0.06, 0.6, 0.2, np.array([30, 30, 30]))
    draw_box(picture, 0.3, 0.0, 0.9, 0.07, np.array([35, 35, 35]))
    draw_box(picture, 0.84, 0.1, 0.95, 0.8, np.array([25, 25, 25]))
    if rng.random() < 0.8:
        low = rng.uniform(0.35, 0.6)
        draw_box(picture, 0.2, low, 0.8, low + rng.uniform(0.1, 0.3), np.array([215, 220, 225]))


def _shoe(picture: Bytes, rng: np.random.Generator) -> None:
    paint = bright_or_grey(rng, 0.75)
    outline = [[0.05, 0.2], [0.35, 0.1], [0.5, 0.45], [0.95, 0.65], [1.0, 0.9], [0.02, 0.9]]
    _polygon(picture, outline, paint)
    draw_box(picture, 0.02, 0.85, 1.0, 1.0, REFLECTIVE * rng.uniform(0.2, 1.0))
    if rng.random() < 0.5:
        _polygon(picture, [[0.3, 0.5], [0.45, 0.5], [0.6, 0.85], [0.4, 0.85]], REFLECTIVE)


def _flag(picture: Bytes, rng: np.random.Generator) -> None:
    pole = rng.uniform(0.05, 0.3)
    draw_box(picture, pole, 0.0, pole + 0.04, 1.0, np.array([60, 60, 65]))
    reach, drop = rng.uniform(0.6, 1.0), rng.uniform(0.2, 0.6)
    paint = bright_or_grey(rng, 0.95)
    end = [[reach, drop * 0.5]] if rng.random() < 0.4 else [[reach, 0.05], [reach, drop]]
    _polygon(picture, [[pole, 0.02], *end, [pole, drop]], paint)


def _panel(picture: Bytes, rng: np.random.Generator) -> None:
    """A window, a door, a sign or a sheet, with a frame."""
    frame = REFLECTIVE * rng.uniform(0.1, 1.0)
    draw_box(picture, 0.0, 0.0, 1.0, 1.0, frame)
    thick = rng.uniform(0.02, 0.12)
    draw_box(picture, thick, thick, 1 - thick, 1 - thick, bright_or_grey(rng, 0.8))
    if rng.random() < 0.4:
        low = rng.uniform(0.2, 0.6)
        draw_box(picture, thick, low, 1 - thick, low + rng.uniform(0.05, 0.25), frame)


def _lamp(picture: Bytes, rng: np.random.Generator) -> None:
    """A tail light or warning light on a dark body."""
    draw_box(picture, 0.1, 0.0, 0.9, 1.0, np.array([35, 33, 32]) * rng.uniform(0.5, 2.0))
    tone = (RED, ORANGE, np.array([60, 230, 250]), np.array([80, 220, 80]))[int(rng.integers(4))]
    draw_round(picture, 0.5, rng.uniform(0.2, 0.5), 0.35, rng.uniform(0.1, 0.3), tone * 1.1)
    draw_round(picture, 0.5, 0.35, 0.15, 0.1, np.array([200, 235, 255]))


DECOY_ASPECTS = {
    ObstacleKind.BOLLARD: 0.45,
    ObstacleKind.EXTINGUISHER: 0.38,
    ObstacleKind.SHOE: 1.8,
    ObstacleKind.FLAG: 0.7,
    ObstacleKind.PANEL: 0.7,
    ObstacleKind.LAMP: 0.5,
}
DECOY_PAINTERS: dict[ObstacleKind, Callable[[Bytes, np.random.Generator], None]] = {
    ObstacleKind.BOLLARD: _bollard,
    ObstacleKind.EXTINGUISHER: _extinguisher,
    ObstacleKind.SHOE: _shoe,
    ObstacleKind.FLAG: _flag,
    ObstacleKind.PANEL: _panel,
    ObstacleKind.LAMP: _lamp,
}
