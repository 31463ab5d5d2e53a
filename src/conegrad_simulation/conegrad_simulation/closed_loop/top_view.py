"""Drawings from above: cones, the centre line, the driven line and the car."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_core.cones import ConeClass
from conegrad_core.drawing import COLOURS_RGB, INK, PAPER, Rgb
from conegrad_core.vehicle import ChassisPreset
from conegrad_simulation.planar import Floats, Ints, Pose

Image = npt.NDArray[np.uint8]

GROUND: Rgb = (236, 239, 243)
LINE: Rgb = (190, 198, 208)
BAD: Rgb = (214, 69, 93)
SHIFT = 4  # bits of a pixel's fraction in OpenCV's drawing functions
LINE_TYPE = cv2.LINE_AA


class Canvas(NamedTuple):
    """A picture of a part of the map.

    Attributes:
        image: ``(H, W, 3)`` RGB, drawn on in place.
        matrix: ``(2, 3)`` from the map [m] to pixels.
    """

    image: Image
    matrix: Floats

    @property
    def scale(self) -> float:
        """Pixels per metre."""
        return float(np.hypot(*self.matrix[:, 0]))

    def pixels(self, points: Floats) -> npt.NDArray[np.int32]:
        """Points ``(N, 2)`` of the map in pixels, with :data:`SHIFT` bits of fraction."""
        at = np.asarray(points).reshape(-1, 2) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.asarray(np.round(at * (1 << SHIFT)), dtype=np.int32)


def canvas_of(points: Floats, width: int, margin: float) -> Canvas:
    """A canvas that shows some points ``(N, 2)``, north up, with a margin [m]."""
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    scale = width / (high[0] - low[0])
    height = max(2, round((high[1] - low[1]) * scale))
    matrix = np.array([[scale, 0.0, -scale * low[0]], [0.0, -scale, scale * high[1]]])
    return Canvas(_blank(width, height), matrix)


def canvas_around(pose: Pose, size: int, reach: float) -> Canvas:
    """A square canvas around a car that drives up the picture.

    Args:
        pose: of the car.
        size: of the picture [px].
        reach: shown ahead of the car [m]; half as much is shown behind it.
    """
    scale = size / (1.5 * reach)
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    right, up = np.array([sin, -cos]) * scale, np.array([cos, sin]) * scale
    turn = np.stack([right, -up])
    offset = np.array([size / 2, size * reach / (1.5 * reach)]) - turn @ [pose.x, pose.y]
    return Canvas(_blank(size, size), np.hstack([turn, offset[:, None]]))


def draw_line(canvas: Canvas, points: Floats, colour: Rgb, width: float) -> None:
    """A polyline; its width is in metres."""
    thickness = max(1, round(width * canvas.scale))
    pixels = canvas.pixels(points)[:, None]
    cv2.polylines(canvas.image, [pixels], False, colour, thickness, LINE_TYPE, SHIFT)


def draw_coloured_line(canvas: Canvas, points: Floats, colours: Image, width: float) -> None:
    """A polyline ``(N, 2)`` with a colour per point."""
    thickness = max(2, round(width * canvas.scale))
    pixels = canvas.pixels(points)
    for start, end, colour in zip(pixels, pixels[1:], colours.tolist(), strict=False):
        cv2.line(canvas.image, start, end, colour, thickness, LINE_TYPE, SHIFT)


def draw_cones(
    canvas: Canvas, positions: Floats, classes: Ints, radius: float, *, is_hollow: bool = False
) -> None:
    """Cones as dots of their colour, or as rings; the radius is in metres."""
    size = max(2.0, radius * canvas.scale)
    for pixel, cone in zip(canvas.pixels(positions), classes.tolist(), strict=True):
        colour = COLOURS_RGB[ConeClass(cone)]
        whole = round(size * (1 << SHIFT))
        if is_hollow:
            cv2.circle(canvas.image, pixel, whole, colour, 1, LINE_TYPE, SHIFT)
            continue
        cv2.circle(canvas.image, pixel, whole, colour, cv2.FILLED, LINE_TYPE, SHIFT)
        cv2.circle(canvas.image, pixel, whole, INK, 1, LINE_TYPE, SHIFT)


def draw_rings(canvas: Canvas, positions: Floats, radius: float, colour: Rgb) -> None:
    """Marks around places; the radius is in metres."""
    size = round(max(6.0, radius * canvas.scale) * (1 << SHIFT))
    for pixel in canvas.pixels(positions):
        cv2.circle(canvas.image, pixel, size, colour, 2, LINE_TYPE, SHIFT)


def draw_car(canvas: Canvas, pose: Pose, chassis: ChassisPreset) -> None:
    """The outline of the car."""
    half = max(chassis.body_width, chassis.track_width + chassis.wheel_width) / 2
    front, rear = chassis.body_front, -chassis.body_rear
    corners = np.array([[front, half], [front, -half], [rear, -half], [rear, half]])
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    corners = corners @ np.array([[cos, sin], [-sin, cos]]) + np.array([pose.x, pose.y])
    pixels = canvas.pixels(corners)[:, None]
    cv2.fillPoly(canvas.image, [pixels], INK, LINE_TYPE, SHIFT)


def draw_text(image: Image, text: str, place: tuple[int, int], scale: float) -> None:
    """A line of text, its lower left corner at a pixel."""
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, PAPER, 4, LINE_TYPE)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, LINE_TYPE)


def _blank(width: int, height: int) -> Image:
    return np.full((height, width, 3), GROUND, dtype=np.uint8)
