"""Painted panoramas of the background: hills, trees, buildings, fences, clutter.

A panorama is a picture of the full circle around a place: columns are directions, rows the
tangent of the elevation, the last row at the foot of the backdrop. The sky is added per image.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from conegrad_simulation.render.texture import Bytes

WIDTH, HEIGHT = 3072, 288
SCALE = WIDTH / (2 * np.pi)  # [px/rad]
VARIANTS = 8  # panoramas per surroundings

CONE_COLOURS = ((190, 90, 20), (0, 200, 240), (20, 90, 240), (40, 40, 220), (230, 235, 240))


class Panorama(NamedTuple):
    """A painted panorama.

    Attributes:
        colours: ``(HEIGHT, WIDTH, 3)`` uint8 BGR.
        opacity: ``(HEIGHT, WIDTH)`` uint8, 0 is sky.
    """

    colours: Bytes
    opacity: Bytes


class _PanoramaCanvas:
    """Colours and opacity drawn together; heights are counted upwards from the foot."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.colours = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        self.opacity = np.zeros((HEIGHT, WIDTH), np.uint8)

    def tone(self, colour: object, spread: float = 0.15) -> tuple[float, ...]:
        shade = np.asarray(colour) * self.rng.uniform(1 - spread, 1 + spread)
        shade = shade * self.rng.uniform(1 - spread / 3, 1 + spread / 3, 3)
        return tuple(np.clip(shade, 0, 255).tolist())

    def box(self, x: float, y: float, width: float, height: float, colour: object) -> None:
        tone = self.tone(colour)
        corners = (round(x), HEIGHT - round(y)), (round(x + width), HEIGHT - round(y + height))
        cv2.rectangle(self.colours, *corners, tone, -1)
        cv2.rectangle(self.opacity, *corners, 255, -1)

    def polygon(self, points: object, colour: object) -> None:
        fixed = np.round(np.asarray(points) * [1, -1] + [0, HEIGHT]).astype(np.int32)
        cv2.fillPoly(self.colours, [fixed], self.tone(colour), cv2.LINE_AA)
        cv2.fillPoly(self.opacity, [fixed], 255)

    def blob(self, x: float, y: float, width: float, height: float, colour: object) -> None:
        centre, axes = (round(x), HEIGHT - round(y)), (max(1, round(width)), max(1, round(height)))
        cv2.ellipse(self.colours, centre, axes, 0, 0, 360, self.tone(colour, 0.3), -1)
        cv2.ellipse(self.opacity, centre, axes, 0, 0, 360, 255, -1)

    def anywhere(self) -> float:
        return float(self.rng.uniform(-50, WIDTH))

    def any_colour(self) -> tuple[int, ...]:
        if self.rng.random() < 0.25:
            return CONE_COLOURS[int(self.rng.integers(len(CONE_COLOURS)))]
        grey = self.rng.uniform(10, 240)
        spread = float(self.rng.choice((8, 40)))
        return tuple(np.clip(grey + self.rng.normal(0, spread, 3), 0, 255).astype(int).tolist())


@lru_cache(maxsize=48)
def panorama(surroundings: str, variant: int) -> Panorama:
    """A painted panorama: a pure function of its arguments.

    Args:
        surroundings: one of :data:`conegrad_simulation.scene.world.SURROUNDINGS`.
        variant: seed of the painting.

    Raises:
        KeyError: if there are no such surroundings.
    """
    rng = np.random.default_rng((variant, sum(map(ord, surroundings)), 0x9A40))
    canvas = _PanoramaCanvas(rng)
    for paint in PAINTERS[surroundings]:
        paint(canvas)
    return Panorama(_roughened(canvas), canvas.opacity)


def _roughened(canvas: _PanoramaCanvas) -> Bytes:
    fine = canvas.rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32)
    coarse = cv2.resize(
        canvas.rng.standard_normal((HEIGHT // 8, WIDTH // 8), dtype=np.float32), (WIDTH, HEIGHT)
    )
    gain = 1 + 0.10 * cv2.GaussianBlur(fine, (0, 0), 0.8) * 2 + 0.12 * coarse
    rough = canvas.colours * gain[..., None]
    return np.asarray(np.clip(cv2.GaussianBlur(rough, (0, 0), 0.6), 0, 255), dtype=np.uint8)


def _hills(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for layer in range(3):
        x = np.linspace(0, WIDTH, 97)
        waves = sum(
            rng.normal(0, 1) * np.sin(k * x * 2 * np.pi / WIDTH + rng.uniform(0, 6.3)) / k
            for k in range(2, 24)
        )
        ridge = (28 - 8 * layer) + (14 - 3 * layer) * waves
        haze = np.array([150, 140, 125]) * (1 - 0.25 * layer) + rng.normal(0, 12, 3)
        canvas.polygon(np.vstack([np.stack([x, ridge], 1), [[WIDTH, 0], [0, 0]]]), haze)


def _field(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for height in (12, 7, 3):
        colours = ((60, 150, 170), (60, 110, 80), (70, 120, 140), (90, 165, 190), (120, 120, 120))
        colour = colours[int(rng.integers(5))]
        for x in range(0, WIDTH, 64):
            canvas.box(x, 0, 64, height * rng.uniform(0.6, 1.2), colour)


def _tree_line(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(150, 500)):
        size = rng.uniform(4, 16)
        green = np.array([35, 70, 60]) * rng.uniform(0.5, 1.5)
        canvas.blob(canvas.anywhere(), rng.uniform(0, 14), size * 1.3, size, green)


def _trees(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    kinds = ((30, 65, 50), (40, 90, 80), (50, 110, 150), (40, 60, 60), (60, 120, 180))
    for _ in range(rng.integers(15, 70)):
        x, height, crown = canvas.anywhere(), rng.uniform(40, 200), rng.uniform(12, 45)
        kind = kinds[int(rng.integers(len(kinds)))]
        canvas.box(x - 2, 0, rng.uniform(3, 8), height * 0.7, (30, 40, 50))
        for _ in range(rng.integers(10, 40)):
            spot = rng.normal(0, 0.5, 2) * [crown, height * 0.28]
            size = rng.uniform(0.15, 0.45) * crown
            canvas.blob(
                x + spot[0],
                height * 0.7 + spot[1],
                size,
                size,
                np.array(kind) * rng.uniform(0.4, 1.3),
            )


def _buildings(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(4, 18)):
        x, width, height = canvas.anywhere(), rng.uniform(40, 320), rng.uniform(14, 90)
        wall = canvas.any_colour() if rng.random() < 0.4 else (215, 220, 225)
        canvas.box(x, 0, width, height, wall)
        if rng.random() < 0.5:
            canvas.box(x - 3, height, width + 6, height * 0.15, canvas.any_colour())
        step = rng.uniform(8, 26)
        for at in np.arange(x + step / 2, x + width - step, step * 1.3):
            for floor in np.arange(height * 0.35, height * 0.85, rng.uniform(12, 26)):
                canvas.box(at, floor, step * 0.7, min(9, height * 0.25), (70, 60, 55))
        if rng.random() < 0.6:
            canvas.box(
                x + width * rng.random() * 0.8, 0, width * 0.15, height * 0.4, canvas.any_colour()
            )


def _vehicles(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(3, 25)):
        x, size = canvas.anywhere(), rng.uniform(8, 30)
        colour = canvas.any_colour()
        canvas.box(x, size * 0.15, size * 2.2, size * 0.4, colour)
        canvas.polygon(
            [[x + size * 0.3, size * 0.5], [x + size * 0.6, size * 0.85],
             [x + size * 1.6, size * 0.85], [x + size * 2, size * 0.5]], (60, 55, 50),
        )  # fmt: skip
        for wheel in (0.4, 1.75):
            canvas.blob(x + size * wheel, size * 0.17, size * 0.18, size * 0.18, (25, 25, 25))


def _tents(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(2, 16)):
        x, size, colour = canvas.anywhere(), rng.uniform(15, 60), canvas.any_colour()
        canvas.polygon([[x, size * 0.7], [x + size * 0.5, size], [x + size, size * 0.7]], colour)
        canvas.box(x, size * 0.6, size, size * 0.12, colour)
        for leg in (0.02, 0.94):
            canvas.box(x + leg * size, 0, max(1, size * 0.04), size * 0.6, (180, 180, 180))


def _fence(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    height, step = rng.uniform(12, 45), rng.uniform(10, 60)
    start, length = canvas.anywhere(), rng.uniform(300, WIDTH)
    tone = rng.uniform(60, 220)
    for x in np.arange(start, start + length, step):
        canvas.box(x % WIDTH, 0, max(1, step * 0.05), height, (tone, tone, tone))
    for level in (0.3, 0.6, 0.95):
        canvas.box(start, height * level, length, 1, (tone, tone, tone))


def _banners(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(2, 20)):
        x, width, height = canvas.anywhere(), rng.uniform(20, 160), rng.uniform(5, 16)
        canvas.box(x, 0, width, height, canvas.any_colour())
        for at in np.arange(x + 4, x + width - 6, rng.uniform(6, 14)):
            canvas.box(at, height * 0.3, rng.uniform(1, 5), height * 0.4, canvas.any_colour())


def _poles(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(3, 25)):
        tone = rng.uniform(40, 230)
        colour = (tone, tone, tone) if rng.random() < 0.8 else canvas.any_colour()
        canvas.box(canvas.anywhere(), 0, rng.uniform(1, 5), rng.uniform(30, 230), colour)


def _crowd(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(5, 60)):
        x, size = canvas.anywhere(), rng.uniform(6, 22)
        canvas.box(x, 0, size * 0.25, size * 0.5, (60, 45, 40))
        canvas.box(x - size * 0.05, size * 0.48, size * 0.35, size * 0.38, canvas.any_colour())
        canvas.blob(x + size * 0.12, size * 0.95, size * 0.09, size * 0.11, (140, 160, 200))


def _clutter(canvas: _PanoramaCanvas, many: int = 260, tallest: float = 90.0) -> None:
    """Objects of any shape and colour, cone colours included."""
    rng = canvas.rng
    for _ in range(int(many * rng.uniform(0.2, 1.3))):
        x, size = canvas.anywhere(), rng.uniform(3, tallest) * rng.random()
        y = max(0.0, rng.normal(0, 0.3 * tallest)) * (rng.random() < 0.5)
        colour, shape = canvas.any_colour(), rng.random()
        if shape < 0.5:
            canvas.box(x, y, size * rng.uniform(0.2, 2), size * rng.uniform(0.3, 1.4), colour)
        elif shape < 0.75:
            spread = rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * size
            canvas.polygon(np.add(np.abs(spread * [1, 0.7]), [x, y]), colour)
        else:
            canvas.blob(x, y + size * 0.3, size * 0.5, size * rng.uniform(0.2, 0.6), colour)


def _walls(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    x, height = 0.0, rng.uniform(70, 260)
    while x < WIDTH:
        width = rng.uniform(80, 700)
        height = float(np.clip(height + rng.normal(0, 30), 50, 287))
        grey = rng.uniform(70, 225)
        wall = np.array([grey * rng.uniform(0.75, 1.05), grey, grey * rng.uniform(0.95, 1.2)])
        canvas.box(x, 0, width, height, wall)
        kind = rng.random()
        if kind < 0.35:  # bricks or blocks
            course = rng.uniform(6, 22)
            for level in np.arange(0, height, course):
                canvas.box(x, level, width, 1, wall * 0.75)
        elif kind < 0.6:  # bars or corrugated sheet
            for at in np.arange(x, x + width, rng.uniform(5, 25)):
                canvas.box(at, 0, 2, height, wall * rng.uniform(0.5, 0.9))
        x += width


def _openings(canvas: _PanoramaCanvas) -> None:
    rng = canvas.rng
    for _ in range(rng.integers(6, 30)):
        x, width, height = canvas.anywhere(), rng.uniform(15, 90), rng.uniform(40, 150)
        foot = 0 if rng.random() < 0.6 else rng.uniform(30, 90)
        colour = canvas.any_colour()
        canvas.box(x, foot, width, height, colour)
        canvas.box(
            x + 2, foot + 2, width - 4, height - 4, np.asarray(colour) * rng.uniform(0.5, 0.95)
        )
    for _ in range(rng.integers(0, 20)):  # bins and drums before the wall
        x, size, colour = canvas.anywhere(), rng.uniform(20, 60), canvas.any_colour()
        canvas.box(x, 0, size * 0.6, size, colour)
        canvas.box(x - 2, size * 0.9, size * 0.6 + 4, size * 0.14, np.asarray(colour) * 0.6)


def _lamps(canvas: _PanoramaCanvas) -> None:
    for _ in range(canvas.rng.integers(5, 40)):
        x, y = canvas.anywhere(), canvas.rng.uniform(150, 285)
        canvas.box(x, y, canvas.rng.uniform(8, 60), canvas.rng.uniform(2, 6), (250, 250, 250))


def _ceiling(canvas: _PanoramaCanvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, canvas.rng.uniform(60, 200, 3))


PAINTERS: dict[str, tuple[Callable[[_PanoramaCanvas], None], ...]] = {
    "open": (_hills, _tree_line, _field, _poles, _vehicles, _banners),
    "paddock": (
        _hills,
        _tree_line,
        _buildings,
        _tents,
        _fence,
        _vehicles,
        _banners,
        _crowd,
        _poles,
    ),
    "trees": (_hills, _trees, _field, _vehicles, _fence, _crowd),
    "yard": (_trees, _walls, _openings, _poles, _clutter),
    "hall": (_ceiling, _walls, _openings, _lamps, _crowd, _clutter),
}
