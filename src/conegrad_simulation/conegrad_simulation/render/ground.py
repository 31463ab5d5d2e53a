"""Ground of an image: flat colours with lines and patches, times grain, times shadows."""

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.planar import Floats
from conegrad_simulation.render.ground_marks import marks_around
from conegrad_simulation.render.texture import (
    GRAIN_SCALE,
    LEVELS,
    SIZE,
    VARIANTS,
    Bytes,
    blotches,
    foliage,
    grain,
)
from conegrad_simulation.render.view import Singles, View, to_full_size
from conegrad_simulation.scene.world import World

Points = npt.NDArray[np.float64]

BLOTCH_SCALE = 4.0  # [px/m]
FOLIAGE_SCALE = 12.0  # [px/m]
NEAR = 0.15  # [m], nearest depth at which ground polygons are drawn
SUBPIXEL = 4  # bits of the fixed-point coordinates of OpenCV's polygons
MARK_RANGE = 30.0  # [m]


def ground_colour(world: World) -> tuple[float, float, float]:
    """Mean colour of the ground, blue green red."""
    grey, tint = world.ground_grey, world.ground_tint
    return grey * (1.0 - tint), grey, grey * (1.0 + tint)


def paint_ground(
    image: Bytes,
    directions: Singles,
    view: View,
    world: World,
    shadows: list[Points],
    contacts: list[Points],
) -> None:
    """Fill the rows of ``image`` (BGR) whose rays point down; rays above stay as they are.

    Args:
        image: ``(H, W, 3)`` picture with the backdrop in it, changed in place.
        directions: coarse directions of the rays in the map.
        view: the camera.
        world: appearance.
        shadows: ground polygons ``(K, 2)`` in map coordinates in the shadow of the sun.
        contacts: likewise, around the feet of objects, which are always dark.
    """
    height, width = image.shape[:2]
    slopes = directions[..., 2] / np.hypot(directions[..., 0], directions[..., 1])
    full_slopes = to_full_size(np.ascontiguousarray(slopes), width, height)
    is_ground = full_slopes < -view.position[2] / world.backdrop_distance
    rows = np.flatnonzero(is_ground.any(axis=1))
    if not len(rows):
        return
    top = int(rows[0])
    flat = _flat_colours(view, world, width, height)[top:]
    places = _ground_places(to_full_size(directions, width, height)[top:], view)
    shade = _shade(view, world, shadows, contacts, (width, height))[top:]
    light = _softened(shade, view, world, places)
    light = cv2.multiply(_grain(places, view, world), light, scale=1 / 255)
    lit = cv2.multiply(flat, cv2.merge((light, light, light)), scale=1 / 128)
    cv2.copyTo(lit, is_ground[top:].astype(np.uint8), image[top:])


def _ground_places(directions: Singles, view: View) -> tuple[Singles, Singles]:
    """Map coordinates relative to the camera where the rays meet the ground [m]."""
    down = np.minimum(directions[..., 2], -1e-3)
    scale = np.float32(-view.position[2]) / down
    return directions[..., 0] * scale, directions[..., 1] * scale


def _grain(places: tuple[Singles, Singles], view: View, world: World) -> Bytes:
    """Grain under every pixel; far rows use more blurred tiles, as a lens averages them."""
    x, y = places
    origin = view.position
    tiles = grain(world.ground, world.ground_style % VARIANTS)
    map_x = x * np.float32(GRAIN_SCALE) + np.float32(origin[0] * GRAIN_SCALE % SIZE)
    map_y = y * np.float32(GRAIN_SCALE) + np.float32(origin[1] * GRAIN_SCALE % SIZE)
    middle = np.hypot(x[:, x.shape[1] // 2], y[:, x.shape[1] // 2])
    texels = np.maximum(middle * GRAIN_SCALE / view.focal, 1e-3)
    stretch = np.sqrt(np.maximum(middle / view.position[2], 1.0))
    levels = np.clip(np.log2(texels * stretch), 0, LEVELS - 1).astype(int)
    out = np.empty(x.shape, np.uint8)
    edges = [0, *(np.flatnonzero(np.diff(levels)) + 1).tolist(), len(levels)]
    for first, last in pairwise(edges):
        out[first:last] = cv2.remap(
            tiles[levels[first]], map_x[first:last], map_y[first:last],
            cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
    return np.asarray(
        cv2.convertScaleAbs(out, alpha=world.grain, beta=128 * (1 - world.grain)), dtype=np.uint8
    )


def _shade(
    view: View, world: World, shadows: list[Points], contacts: list[Points], size: tuple[int, int]
) -> Bytes:
    """Light that the shadows leave on the ground, 255 is all."""
    shade = np.full(size[::-1], 255, np.uint8)
    dark = round(255 * (1 - world.shadow))
    greys = [dark] * len(shadows) + [min(dark, 150)] * len(contacts)
    fill_ground(shade, view, [*shadows, *contacts], greys)
    return np.asarray(cv2.blur(shade, (3, 3)), dtype=np.uint8)


def _softened(light: Bytes, view: View, world: World, places: tuple[Singles, Singles]) -> Bytes:
    """Stains and tree shadows on top of the hard shadows."""
    # Stains and tree shadows are soft: a quarter of the pixels is enough.
    x, y = (np.ascontiguousarray(place[::4, ::4]) for place in places)
    x, y = x + np.float32(view.position[0]), y + np.float32(view.position[1])
    soft = _tile(blotches(world.ground_style % 8), x, y, BLOTCH_SCALE)
    soft = cv2.convertScaleAbs(soft, alpha=0.8, beta=255 - 0.8 * 175)
    if world.tree_shadow > 0:
        trees = _tile(foliage(world.ground_style % 8), x, y, FOLIAGE_SCALE)
        soft = cv2.multiply(
            soft, cv2.convertScaleAbs(trees, alpha=-world.tree_shadow, beta=255), scale=1 / 255
        )
    return np.asarray(
        cv2.multiply(light, cv2.resize(soft, light.shape[::-1]), scale=1 / 255), dtype=np.uint8
    )


def _tile(texture: Bytes, x: Singles, y: Singles, scale: float) -> Bytes:
    scale32 = np.float32(scale)
    tiled = cv2.remap(
        texture, x * scale32, y * scale32, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(tiled, dtype=np.uint8)


def _flat_colours(view: View, world: World, width: int, height: int) -> Bytes:
    flat = np.empty((height, width, 3), np.uint8)
    cv2.rectangle(flat, (0, 0), (width, height), ground_colour(world), -1)
    half_view = math.atan(width / 2 / view.focal) + 0.1
    polygons, colours = marks_around(view.position[:2], view.heading, MARK_RANGE, half_view, world)
    fill_ground(flat, view, polygons, colours)
    return flat


def fill_ground(
    canvas: Bytes, view: View, polygons: list[Points], colours: Sequence[object]
) -> None:
    """Draw ground polygons ``(K, 2)`` in map coordinates, in order."""
    if not polygons:
        return
    counts = [len(polygon) for polygon in polygons]
    points = np.zeros((sum(counts), 3))
    points[:, :2] = np.vstack(polygons)
    clipped = _clip_near(points, np.cumsum([0, *counts]), view)
    if not clipped:
        return
    pixels, _ = view.project(np.vstack([points for points, _ in clipped]))
    pixels = np.clip(pixels, -4000, 8000)
    fixed = np.round(pixels * (1 << SUBPIXEL)).astype(np.int32)
    first = 0
    for points, index in clipped:
        last = first + len(points)
        cv2.fillPoly(canvas, [fixed[first:last]], colours[index], cv2.LINE_8, SUBPIXEL)
        first = last


def _clip_near(
    points: Floats, edges: npt.NDArray[np.int64], view: View
) -> list[tuple[Floats, int]]:
    """The parts of the polygons in front of the camera, each with its number."""
    depths = view.depths(points)
    lowest = np.minimum.reduceat(depths, edges[:-1])
    highest = np.maximum.reduceat(depths, edges[:-1])
    clipped = []
    for index in np.flatnonzero(highest > NEAR):
        first, last = edges[index], edges[index + 1]
        part = points[first:last]
        if lowest[index] <= NEAR:
            part = _cut(part, depths[first:last])
        clipped.append((part, int(index)))
    return clipped


def _cut(polygon: Floats, depths: Floats) -> Floats:
    """Sutherland-Hodgman against the plane at depth :data:`NEAR`."""
    kept = []
    for here, depth, after, depth_after in zip(
        polygon, depths, np.roll(polygon, -1, axis=0), np.roll(depths, -1), strict=True
    ):
        if depth > NEAR:
            kept.append(here)
        if (depth > NEAR) != (depth_after > NEAR):
            kept.append(here + (NEAR - depth) / (depth_after - depth) * (after - here))
    return np.array(kept)
