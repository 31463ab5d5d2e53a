"""Parts of the ego vehicle in the lower part of the image: nose, wheels, suspension, cockpit."""

from functools import lru_cache

import cv2
import numpy as np

from conegrad_simulation.render.texture import Bytes

PAINTS = ((235, 235, 235), (30, 30, 32), (40, 40, 200), (160, 70, 20), (60, 60, 60), (20, 140, 240))
BUTTONS = ((40, 40, 220), (200, 90, 20), (0, 210, 240), (60, 180, 60), (230, 230, 230))


class _Sheet:
    """Draws shapes in shares of the image width and height, mirrored at the middle on request."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.picture = np.zeros((height, width, 4), np.uint8)
        self.size, self.rng = np.array([width, height]), rng

    def shape(self, points: object, colour: object, mirrored: bool = False) -> None:
        outline = np.asarray(points, dtype=float)
        for sign in (1, -1) if mirrored else (1,):
            spots = np.round((outline * [sign, 1] + [0.5, 0]) * self.size * 16).astype(np.int32)
            cv2.fillPoly(self.picture, [spots], self.tone(colour), cv2.LINE_8, 4)

    def disc(
        self, x: float, y: float, radius: float, colour: object, mirrored: bool = False
    ) -> None:
        for sign in (1, -1) if mirrored else (1,):
            spot = np.round(np.array([sign * x + 0.5, y]) * self.size).astype(int)
            axes = max(1, round(radius * self.size[0]))
            cv2.circle(self.picture, spot.tolist(), axes, self.tone(colour), -1)

    def bar(self, start: object, end: object, thick: float, colour: object) -> None:
        for sign in (1, -1):
            ends = (np.array([start, end]) * [sign, 1] + [0.5, 0]) * self.size
            width = max(1, round(thick * self.size[0]))
            spots = np.round(ends).astype(int).tolist()
            cv2.line(self.picture, spots[0], spots[1], self.tone(colour), width)

    def tone(self, colour: object) -> tuple[float, ...]:
        shade = np.asarray(colour) * self.rng.uniform(0.8, 1.15)
        return (*np.clip(shade, 0, 255).tolist(), 255)


@lru_cache(maxsize=48)
def ego_vehicle_picture(kind: str, style: int, width: int, height: int) -> tuple[Bytes, int] | None:
    """Picture of the visible part of the ego vehicle; the result is cached and not to be changed.

    Args:
        kind: one of :data:`conegrad_simulation.scene.world.EGO_VEHICLES`.
        style: seed of shapes and paints.
        width: of the image [px].
        height: of the image [px].

    Returns:
        Premultiplied BGRA picture ``(h, width, 4)`` down to the last image row, and its first
        row; None for the kind ``none``.

    Raises:
        KeyError: if there is no such kind.
    """
    if kind == "none":
        return None
    sheet = _Sheet(width, height, np.random.default_rng((style, 0xB0D7)))
    PAINTERS[kind](sheet)
    rows = np.flatnonzero(sheet.picture[..., 3].any(axis=1))
    top = int(rows[0]) if len(rows) else height - 1
    picture = cv2.blur(sheet.picture[top:], (2, 2))
    return cv2.multiply(picture, _gains(sheet.rng, *picture.shape[:2]), scale=1 / 255), top


def _gains(rng: np.random.Generator, height: int, width: int) -> Bytes:
    """Random gains of the colours; the opacity is kept."""
    grain = np.clip(rng.normal(200, 12, (height // 4 + 1, width // 4 + 1)), 0, 255)
    rows = np.linspace(rng.uniform(0.8, 1.25), rng.uniform(0.5, 1.0), len(grain))
    gain = cv2.resize(np.clip(grain * rows[:, None], 0, 255).astype(np.uint8), (width, height))
    return np.asarray(cv2.merge((gain, gain, gain, np.full_like(gain, 255))), dtype=np.uint8)


def _wheels(sheet: _Sheet, top: float) -> None:
    rng = sheet.rng
    inner, outer = rng.uniform(0.24, 0.38), rng.uniform(0.42, 0.6)
    low = 1.3
    rubber = np.array([30, 30, 30]) * rng.uniform(0.7, 1.6)
    curve = np.linspace(0, np.pi, 12)
    x = (inner + outer) / 2 - (outer - inner) / 2 * np.cos(curve)
    y = top + 0.10 * (1 - np.sin(curve))
    sheet.shape(np.vstack([np.stack([x, y], 1), [[outer, low], [inner, low]]]), rubber, True)
    if rng.random() < 0.6:
        sheet.disc(inner + 0.02, top + 0.2, 0.035, (90, 90, 90), True)


def _suspension(sheet: _Sheet, top: float) -> None:
    rng = sheet.rng
    for _ in range(int(rng.integers(2, 6))):
        tone = np.array([1, 1, 1]) * rng.choice((25, 60, 150))
        start = (rng.uniform(0.04, 0.14), top + rng.uniform(-0.05, 0.2))
        end = (rng.uniform(0.25, 0.4), top + rng.uniform(-0.02, 0.25))
        sheet.bar(start, end, rng.uniform(0.004, 0.014), tone)


def _paint(sheet: _Sheet) -> np.ndarray:
    return np.array(PAINTS[int(sheet.rng.integers(len(PAINTS)))])


def _nose(sheet: _Sheet) -> None:
    rng = sheet.rng
    top = rng.uniform(0.55, 0.85)
    tip, foot = rng.uniform(0.03, 0.1), rng.uniform(0.08, 0.25)
    if rng.random() < 0.75:
        _wheels(sheet, top + rng.uniform(0.0, 0.2))
        _suspension(sheet, top + 0.15)
    paint = _paint(sheet)
    sheet.shape([[-tip, top], [tip, top], [foot, 1.05], [-foot, 1.05]], paint)
    sheet.shape(
        [
            [-tip * 0.8, top + 0.05],
            [tip * 0.8, top + 0.05],
            [foot * 0.7, 1.05],
            [-foot * 0.7, 1.05],
        ],
        _paint(sheet),
    )
    if rng.random() < 0.5:  # a mast or sensor on the nose
        width, height = rng.uniform(0.01, 0.03), rng.uniform(0.03, 0.14)
        sheet.shape(
            [[-width, top - height], [width, top - height], [width, top], [-width, top]],
            (25, 25, 25),
        )
    for _ in range(int(rng.integers(0, 10))):
        _sticker(sheet, (-foot, foot), (top, 1.0))


def _sticker(sheet: _Sheet, across: tuple[float, float], down: tuple[float, float]) -> None:
    rng = sheet.rng
    x, y = rng.uniform(*across), rng.uniform(*down)
    width, height = rng.uniform(0.005, 0.05), rng.uniform(0.005, 0.03)
    colour = (
        np.array(BUTTONS[int(rng.integers(len(BUTTONS)))]) if rng.random() < 0.5 else _paint(sheet)
    )
    sheet.shape([[x, y], [x + width, y], [x + width * 0.9, y + height], [x, y + height]], colour)


def _cockpit(sheet: _Sheet) -> None:
    rng = sheet.rng
    top = rng.uniform(0.42, 0.7)
    _wheels(sheet, top + rng.uniform(0.12, 0.3))
    _suspension(sheet, top + 0.2)
    paint, half = _paint(sheet), rng.uniform(0.08, 0.16)
    rim = top + rng.uniform(0.12, 0.22)
    wide = half + rng.uniform(0.12, 0.3)
    sheet.shape([[-half, top], [half, top], [half * 1.3, rim], [-half * 1.3, rim]], paint)
    sheet.shape(
        [[-half * 0.9, top + 0.04], [half * 0.9, top + 0.04], [half, rim], [-half, rim]],
        _paint(sheet),
    )
    sheet.shape([[-half * 1.3, rim], [half * 1.3, rim], [wide, 1.1], [-wide, 1.1]], paint)
    sheet.shape(
        [
            [-half * 1.1, rim + 0.03],
            [half * 1.1, rim + 0.03],
            [wide * 0.9, 1.1],
            [-wide * 0.9, 1.1],
        ],
        (22, 22, 24),
    )
    for _ in range(int(rng.integers(2, 12))):
        _sticker(sheet, (-wide * 0.8, wide * 0.8), (rim, rim + 0.4))
    if rng.random() < 0.8:
        _steering_wheel(sheet, rim)


def _steering_wheel(sheet: _Sheet, rim: float) -> None:
    rng = sheet.rng
    turn, size = rng.normal(0, 0.5), rng.uniform(0.07, 0.13)
    centre = np.array([rng.normal(0, 0.01), rng.uniform(rim + 0.1, rim + 0.35)])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    aspect = np.array([1.0, sheet.size[0] / sheet.size[1]])

    def place(points: object) -> np.ndarray:
        return np.asarray(centre + (np.asarray(points) @ rotation.T) * size * aspect)

    sheet.shape(
        place([[-1, -0.5], [1, -0.5], [1.1, 0.2], [0.8, 0.7], [-0.8, 0.7], [-1.1, 0.2]]),
        (45, 45, 48),
    )
    sheet.shape(place([[-0.5, -0.3], [0.5, -0.3], [0.4, 0.3], [-0.4, 0.3]]), (25, 25, 27))
    for _ in range(int(rng.integers(3, 10))):
        x, y = place([[rng.uniform(-0.9, 0.9), rng.uniform(-0.4, 0.5)]])[0]
        sheet.disc(x, y, rng.uniform(0.003, 0.016), BUTTONS[int(rng.integers(len(BUTTONS)))])


def _bonnet(sheet: _Sheet) -> None:
    rng = sheet.rng
    top = rng.uniform(0.8, 0.95)
    across = np.linspace(-0.7, 0.7, 15)
    edge = top + rng.uniform(0.02, 0.3) * across**2
    sheet.shape(np.vstack([np.stack([across, edge], 1), [[0.7, 1.1], [-0.7, 1.1]]]), _paint(sheet))
    for _ in range(int(rng.integers(0, 6))):
        _sticker(sheet, (-0.4, 0.4), (top + 0.03, 1.0))


def _dashboard(sheet: _Sheet) -> None:
    """A cockpit seen from behind the driver: coloured panels, lit displays and lamps, a helmet."""
    rng = sheet.rng
    _cockpit(sheet)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(-0.4, 0.4), rng.uniform(0.6, 0.95)
        wide, tall = rng.uniform(0.008, 0.06), rng.uniform(0.02, 0.14)
        lean, colour = rng.uniform(-0.03, 0.03), BUTTONS[int(rng.integers(len(BUTTONS)))]
        corners = [[x, y], [x + wide, y], [x + wide + lean, y + tall], [x + lean, y + tall]]
        sheet.shape(corners, colour, rng.random() < 0.4)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(-0.2, 0.2), rng.uniform(0.6, 0.98)
        radius, colour = rng.uniform(0.004, 0.014), BUTTONS[int(rng.integers(len(BUTTONS)))]
        sheet.disc(x, y, radius * 1.6, np.array(colour) * 0.5)
        sheet.disc(x, y, radius, np.array(colour) * 1.1)
    if rng.random() < 0.4:
        sheet.disc(0.0, rng.uniform(0.85, 1.05), rng.uniform(0.05, 0.1), _paint(sheet))


PAINTERS = {"nose": _nose, "cockpit": _cockpit, "bonnet": _bonnet, "dashboard": _dashboard}
