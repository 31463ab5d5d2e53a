"""Top views: cones, the centre line, the driven line and the car, drawn on a part of the map."""

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
ALERT: Rgb = (214, 69, 93)
SHIFT = 4  # bits of a pixel's fraction in OpenCV's drawing functions
LINE_TYPE = cv2.LINE_AA


class TopView(NamedTuple):
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


def top_view_of(points: Floats, width: int, margin: float) -> TopView:
    """A view of map points ``(N, 2)``, y up, ``width`` pixels wide, with a margin [m]."""
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    scale = width / (high[0] - low[0])
    height = max(2, round((high[1] - low[1]) * scale))
    matrix = np.array([[scale, 0.0, -scale * low[0]], [0.0, -scale, scale * high[1]]])
    return TopView(_blank(width, height), matrix)


def top_view_around(pose: Pose, size: int, reach: float) -> TopView:
    """A square view around a car, whose heading points up.

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
    return TopView(_blank(size, size), np.hstack([turn, offset[:, None]]))


def draw_line(view: TopView, points: Floats, colour: Rgb, width: float) -> None:
    """Draw a polyline ``(N, 2)``; its width is in metres."""
    thickness = max(1, round(width * view.scale))
    pixels = view.pixels(points)[:, None]
    cv2.polylines(view.image, [pixels], False, colour, thickness, LINE_TYPE, SHIFT)


def draw_coloured_line(view: TopView, points: Floats, colours: Image, width: float) -> None:
    """Draw a polyline ``(N, 2)`` with ``(N, 3)`` RGB colours; its width is in metres."""
    thickness = max(2, round(width * view.scale))
    pixels = view.pixels(points)
    for start, end, colour in zip(pixels, pixels[1:], colours.tolist(), strict=False):
        cv2.line(view.image, start, end, colour, thickness, LINE_TYPE, SHIFT)


def draw_cones(
    view: TopView, positions: Floats, classes: Ints, radius: float, *, is_hollow: bool = False
) -> None:
    """Draw cones ``(N, 2)`` as dots of their colour, or as rings; the radius is in metres."""
    size = max(2.0, radius * view.scale)
    for pixel, cone in zip(view.pixels(positions), classes.tolist(), strict=True):
        colour = COLOURS_RGB[ConeClass(cone)]
        whole = round(size * (1 << SHIFT))
        if is_hollow:
            cv2.circle(view.image, pixel, whole, colour, 1, LINE_TYPE, SHIFT)
            continue
        cv2.circle(view.image, pixel, whole, colour, cv2.FILLED, LINE_TYPE, SHIFT)
        cv2.circle(view.image, pixel, whole, INK, 1, LINE_TYPE, SHIFT)


def draw_rings(view: TopView, positions: Floats, radius: float, colour: Rgb) -> None:
    """Draw circles around points ``(N, 2)``; the radius is in metres."""
    size = round(max(6.0, radius * view.scale) * (1 << SHIFT))
    for pixel in view.pixels(positions):
        cv2.circle(view.image, pixel, size, colour, 2, LINE_TYPE, SHIFT)


def draw_car(view: TopView, pose: Pose, chassis: ChassisPreset) -> None:
    """Draw the filled outline of the car at a pose of ``base_link``."""
    half = max(chassis.body_width, chassis.track_width + chassis.wheel_width) / 2
    front, rear = chassis.body_front, -chassis.body_rear
    corners = np.array([[front, half], [front, -half], [rear, -half], [rear, half]])
    cos, sin = np.cos(pose.yaw), np.sin(pose.yaw)
    corners = corners @ np.array([[cos, sin], [-sin, cos]]) + np.array([pose.x, pose.y])
    pixels = view.pixels(corners)[:, None]
    cv2.fillPoly(view.image, [pixels], INK, LINE_TYPE, SHIFT)


def draw_text(image: Image, text: str, place: tuple[int, int], scale: float) -> None:
    """Draw a line of text, its lower left corner at a pixel."""
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, PAPER, 4, LINE_TYPE)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, LINE_TYPE)


def _blank(width: int, height: int) -> Image:
    return np.full((height, width, 3), GROUND, dtype=np.uint8)
