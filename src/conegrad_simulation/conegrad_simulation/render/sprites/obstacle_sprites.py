"""Flat pictures of obstacles: posts, tyre stacks, people, drums, bins, trees, boxes, decoys."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from conegrad_simulation.render.sprites.decoy_sprites import DECOY_ASPECTS, DECOY_PAINTERS
from conegrad_simulation.render.sprites.shapes import bright_or_grey, draw_box, draw_round, rgba
from conegrad_simulation.render.texture import Bytes
from conegrad_simulation.scene.scene import ObstacleKind

SIZE = 160  # [px], height of a sprite
VARIANTS = 24

VESTS = ((20, 110, 250), (40, 240, 210), (0, 220, 240), (30, 60, 230), (190, 90, 30))


@lru_cache(maxsize=256)
def sprite(kind: ObstacleKind, variant: int) -> Bytes:
    """``(SIZE, w, 4)`` uint8 premultiplied BGRA picture, whose last row is the ground."""
    rng = np.random.default_rng((int(kind), variant, 0x5921))
    width = round(SIZE * ASPECTS[kind])
    picture = np.zeros((SIZE * 2, width * 2, 4), np.uint8)
    PAINTERS[kind](picture, rng)
    picture = cv2.resize(picture, (width, SIZE), interpolation=cv2.INTER_AREA)
    gain = 1 + 0.08 * rng.standard_normal((SIZE, width, 1))
    gain = gain * np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.6, 1.1), width)[None, :, None]
    picture[..., :3] = np.clip(picture[..., :3] * gain, 0, picture[..., 3:])
    return np.asarray(picture, dtype=np.uint8)


def _post(picture: Bytes, rng: np.random.Generator) -> None:
    thick, colour = rng.uniform(0.15, 0.5), bright_or_grey(rng)
    other = np.array([225, 225, 225]) if rng.random() < 0.6 else colour * 0.3
    draw_box(picture, 0.5 - thick, 0.0, 0.5 + thick, 1.0, colour)
    if rng.random() < 0.6:
        edges = np.sort(rng.uniform(0, 0.9, 4))
        draw_box(picture, 0.5 - thick, edges[0], 0.5 + thick, edges[1], other)
        draw_box(picture, 0.5 - thick, edges[2], 0.5 + thick, edges[3], other)
    if rng.random() < 0.4:
        draw_box(picture, 0.0, 0.95, 1.0, 1.0, np.array([30, 30, 30]))


def _tyres(picture: Bytes, rng: np.random.Generator) -> None:
    count = int(rng.integers(2, 6))
    paint = bright_or_grey(rng) if rng.random() < 0.35 else np.array([40, 38, 36])
    for tyre in range(count):
        top = tyre / count
        shade = paint if tyre % 2 else paint * rng.uniform(0.5, 1.2)
        draw_box(picture, 0.06, top, 0.94, top + 0.9 / count, shade)
        draw_round(picture, 0.08, top + 0.45 / count, 0.08, 0.42 / count, shade)
        draw_round(picture, 0.92, top + 0.45 / count, 0.08, 0.42 / count, shade)
    if rng.random() < 0.5:
        draw_round(picture, 0.5, 0.03, 0.35, 0.03, np.array([15, 15, 15]))


def _person(picture: Bytes, rng: np.random.Generator) -> None:
    trousers, shirt = bright_or_grey(rng, 0.2) * 0.6, bright_or_grey(rng, 0.4)
    if rng.random() < 0.45:
        shirt = np.array(VESTS[int(rng.integers(len(VESTS)))]) * rng.uniform(0.7, 1.05)
    skin = np.array([130, 155, 200]) * rng.uniform(0.4, 1.15)
    gap = rng.uniform(0.02, 0.16)
    draw_box(picture, 0.3 - gap, 0.5, 0.47 - gap / 2, 0.98, trousers)
    draw_box(picture, 0.53 + gap / 2, 0.5, 0.7 + gap, 0.98, trousers)
    draw_box(picture, 0.24, 0.17, 0.76, 0.55, shirt)
    for side in (0.08, 0.78):
        draw_box(picture, side, 0.18, side + 0.15, rng.uniform(0.4, 0.58), shirt * 0.85)
    if rng.random() < 0.4:
        draw_box(picture, 0.24, 0.3, 0.76, 0.34, np.array([225, 225, 225]))
    draw_round(picture, 0.5, 0.085, 0.17, 0.08, skin)
    draw_round(picture, 0.5, 0.06, 0.17, 0.06, bright_or_grey(rng, 0.3) * 0.6)


def _drum(picture: Bytes, rng: np.random.Generator) -> None:
    colour, other = bright_or_grey(rng, 0.8), bright_or_grey(rng, 0.5)
    bands = int(rng.integers(1, 6))
    for band in range(bands):
        shade = colour if band % 2 == 0 or rng.random() < 0.3 else other
        draw_box(picture, 0.0, band / bands, 1.0, (band + 1) / bands, shade)
    for ridge in (0.02, 0.33, 0.66):
        draw_box(picture, 0.0, ridge, 1.0, ridge + 0.02, colour * 0.6)


def _bin(picture: Bytes, rng: np.random.Generator) -> None:
    colour = bright_or_grey(rng, 0.8)
    taper = rng.uniform(0.0, 0.18)
    height, width = picture.shape[:2]
    outline = np.array([[0, 0.1], [1, 0.1], [1 - taper, 1], [taper, 1]]) * [width, height]
    cv2.fillPoly(picture, [outline.astype(np.int32)], rgba(colour))
    draw_box(picture, 0.0, 0.0, 1.0, rng.uniform(0.08, 0.2), bright_or_grey(rng, 0.3))
    if rng.random() < 0.5:
        draw_box(picture, 0.3, 0.4, 0.7, rng.uniform(0.5, 0.7), np.array([230, 230, 230]))
    for wheel in (0.2, 0.8):
        draw_round(picture, wheel, 0.96, 0.09, 0.04, np.array([25, 25, 25]))


def _tree(picture: Bytes, rng: np.random.Generator) -> None:
    trunk = np.array([50, 65, 80]) * rng.uniform(0.5, 1.3)
    draw_box(picture, 0.45, 0.4, 0.55, 1.0, trunk)
    green = np.array([45, 95, 70]) * rng.uniform(0.6, 1.2, 3)
    for _ in range(90):
        x, y = 0.5 + rng.normal(0, 0.17), 0.32 + rng.normal(0, 0.13)
        draw_round(picture, x, y, 0.1, 0.05, green * rng.uniform(0.4, 1.3))


def _crate(picture: Bytes, rng: np.random.Generator) -> None:
    colour = bright_or_grey(rng, 0.6)
    draw_box(picture, 0.0, 0.0, 1.0, 1.0, colour)
    draw_box(picture, 0.0, 0.0, 1.0, rng.uniform(0.05, 0.4), colour * rng.uniform(0.8, 1.3))
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.random(2)
        draw_box(
            picture,
            x,
            y,
            x + rng.uniform(0.05, 0.5),
            y + rng.uniform(0.02, 0.3),
            bright_or_grey(rng),
        )


ASPECTS = {
    ObstacleKind.POST: 0.12,
    ObstacleKind.TYRE_STACK: 0.7,
    ObstacleKind.PERSON: 0.36,
    ObstacleKind.BARREL: 0.66,
    ObstacleKind.BIN: 0.6,
    ObstacleKind.TREE: 0.7,
    ObstacleKind.BOX: 1.0,
    **DECOY_ASPECTS,
}
PAINTERS: dict[ObstacleKind, Callable[[Bytes, np.random.Generator], None]] = {
    ObstacleKind.POST: _post,
    ObstacleKind.TYRE_STACK: _tyres,
    ObstacleKind.PERSON: _person,
    ObstacleKind.BARREL: _drum,
    ObstacleKind.BIN: _bin,
    ObstacleKind.TREE: _tree,
    ObstacleKind.BOX: _crate,
    **DECOY_PAINTERS,
}
