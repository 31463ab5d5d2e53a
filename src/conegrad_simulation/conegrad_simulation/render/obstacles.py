"""Obstacles and walls in the image, with their shadows on the ground."""

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from conegrad_simulation.planar import Floats
from conegrad_simulation.render.layers import Layers
from conegrad_simulation.render.sprites.obstacle_sprites import ASPECTS, VARIANTS, sprite
from conegrad_simulation.render.view import Singles, View
from conegrad_simulation.scene.scene import ObstacleKind, Scene, WallKind
from conegrad_simulation.scene.world import World

NEAREST, FARTHEST = 0.6, 70.0  # [m] of depth at which obstacles are drawn
WALL_STEP = 1.0  # [m], longest piece of a wall that is drawn as one
SUBPIXEL = 4

# Kinds whose width follows from their picture, whatever their radius.
PICTURED_WIDE = (
    ObstacleKind.PERSON,
    ObstacleKind.TREE,
    ObstacleKind.FLAG,
    ObstacleKind.EXTINGUISHER,
    ObstacleKind.LAMP,
)

WALL_PAINTS = {
    WallKind.WALL: ((150, 155, 160), (140, 150, 160), (200, 205, 210)),
    WallKind.BARRIER: ((40, 40, 215), (225, 225, 225), (20, 90, 240), (60, 60, 60)),
    WallKind.FENCE: ((140, 140, 140), (170, 170, 170)),
    WallKind.BANNER: ((190, 90, 20), (0, 200, 240), (230, 230, 235), (40, 40, 200), (30, 30, 30)),
    WallKind.HEDGE: ((45, 85, 60), (35, 70, 50)),
}


class Projected(NamedTuple):
    """Obstacles or walls in front of the camera.

    Attributes:
        rows: ``(P,)`` obstacles or walls of the scene.
        depths: ``(P,)`` [m].
        pixels: ``(P, K, 2)`` foot and top of obstacles, or corners of pieces of walls.
        widths: ``(P,)`` px of an obstacle, or the place along its wall of a piece [m].
    """

    rows: npt.NDArray[np.int64]
    depths: Floats
    pixels: Singles
    widths: Floats


def project_obstacles(scene: Scene, view: View) -> Projected:
    """Foot and top of the obstacles in front of the camera."""
    feet = np.column_stack([scene.obstacles[:, :2], np.zeros(len(scene.obstacles))])
    depths = view.depths(feet)
    near = np.flatnonzero((depths > NEAREST) & (depths < FARTHEST))
    tops = feet[near] + [0.0, 0.0, 1.0] * scene.obstacle_heights[near][:, None]
    pixels, visible = view.project(np.concatenate([feet[near], tops]))
    whole = visible.reshape(2, -1).all(axis=0)
    rows = near[whole]
    pixels = pixels.reshape(2, -1, 2).transpose(1, 0, 2)[whole]
    widths = 2.0 * scene.obstacles[rows, 2] * view.focal / depths[rows]
    return Projected(rows, depths[rows], pixels, widths)


def draw_obstacle(
    layers: Layers, scene: Scene, projected: Projected, index: int, world: World
) -> None:
    """Draw one obstacle as a flat picture that faces the camera."""
    row = int(projected.rows[index])
    kind = ObstacleKind(int(scene.obstacle_kinds[row]))
    foot, top = projected.pixels[index]
    tall, wide = float(foot[1] - top[1]), float(projected.widths[index])
    if kind in PICTURED_WIDE:
        wide = tall * ASPECTS[kind]
    if tall < 2 or wide < 1 or max(tall, wide) > 3 * layers.instances.shape[0]:
        return
    picture = sprite(kind, (world.cone_style + 7 * row) % VARIANTS)
    patch = cv2.resize(picture, (max(1, round(wide)), round(tall)), interpolation=_filter(tall))
    layers.put(patch, round(float(foot[0]) - wide / 2), round(float(top[1])), 0)


def _filter(tall: float) -> int:
    return cv2.INTER_AREA if tall < 160 else cv2.INTER_LINEAR


def obstacle_shadows(scene: Scene, world: World, near: Floats) -> list[Floats]:
    """Outlines on the ground of the shadows of the obstacles within 30 m of ``near``."""
    length = min(1.0 / math.tan(world.sun_elevation), 5.0)
    away = -np.array([math.cos(world.sun_azimuth), math.sin(world.sun_azimuth)])
    side = np.array([-away[1], away[0]])
    outlines = []
    for (x, y, radius), height in zip(scene.obstacles, scene.obstacle_heights, strict=True):
        if math.hypot(x - near[0], y - near[1]) > 30.0:
            continue
        foot, tip = np.array([x, y]), np.array([x, y]) + away * length * height
        half = side * radius
        outlines.append(np.array([foot - half, foot + half, tip + half, tip - half]))
    return outlines


def project_walls(scene: Scene, view: View) -> Projected:
    """Corners of pieces of walls in front of the camera, each at most 1 m long."""
    pieces = [
        _pieces(wall, row)
        for row, wall in enumerate(scene.walls)
        if scene.wall_kinds[row] != WallKind.BACKDROP
    ]
    found = np.vstack([np.zeros((0, 6)), *pieces])
    ends = np.stack([found[:, :2], found[:, 2:4]], axis=1)
    ground = np.concatenate([ends, np.zeros((len(ends), 2, 1))], axis=2)
    depths = view.depths(ground.reshape(-1, 3)).reshape(-1, 2)
    near = np.flatnonzero((depths.min(axis=1) > NEAREST) & (depths.max(axis=1) < FARTHEST))
    rows = found[near, 4].astype(np.int64)
    tops = ground[near][:, ::-1] + [0.0, 0.0, 1.0] * scene.wall_heights[rows][:, None, None]
    corners = np.concatenate([ground[near], tops], axis=1)
    pixels, visible = view.project(corners.reshape(-1, 3))
    whole = visible.reshape(-1, 4).all(axis=1)
    keep = near[whole]
    return Projected(
        rows[whole], depths[keep].mean(axis=1), pixels.reshape(-1, 4, 2)[whole], found[keep, 5]
    )


def _pieces(wall: Floats, row: int) -> Floats:
    """``(P, 6)`` x0, y0, x1, y1, row of the wall, number of the piece."""
    start, end = wall[:2], wall[2:]
    count = max(1, math.ceil(float(np.linalg.norm(end - start)) / WALL_STEP))
    joints = start + np.linspace(0.0, 1.0, count + 1)[:, None] * (end - start)
    return np.column_stack([joints[:-1], joints[1:], np.full(count, row), np.arange(count)])


def draw_wall_piece(
    layers: Layers, scene: Scene, projected: Projected, index: int, world: World
) -> None:
    """Draw one piece of a wall; a fence is drawn as its outline."""
    row = int(projected.rows[index])
    kind = WallKind(int(scene.wall_kinds[row]))
    pixels = np.clip(projected.pixels[index], -4000, 8000)
    fixed = np.round(pixels * (1 << SUBPIXEL)).astype(np.int32)
    colour = _wall_colour(kind, row + world.backdrop % 97, int(projected.widths[index]))
    if kind == WallKind.FENCE:
        cv2.polylines(layers.image, [fixed], True, colour, 1, cv2.LINE_8, SUBPIXEL)
        return
    cv2.fillConvexPoly(layers.image, fixed, colour, cv2.LINE_AA, SUBPIXEL)
    cv2.fillConvexPoly(layers.instances, fixed, 0, cv2.LINE_8, SUBPIXEL)


@lru_cache(maxsize=4096)
def _wall_colour(kind: WallKind, wall: int, piece: int) -> tuple[float, ...]:
    of_wall = np.random.default_rng((int(kind), wall, 0x3A11))
    paints = np.array(WALL_PAINTS[kind])[of_wall.permutation(len(WALL_PAINTS[kind]))[:2]]
    gain = of_wall.uniform(0.5, 1.15)
    tone = paints[piece % 2] * gain * np.random.default_rng((wall, piece)).uniform(0.85, 1.1)
    return tuple(np.clip(tone, 0, 255).tolist())
