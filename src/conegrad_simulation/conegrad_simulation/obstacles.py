"""Obstacles and walls in the image, with their shadows on the ground."""

import math

import cv2
import numpy as np

from conegrad_simulation.layers import Layers
from conegrad_simulation.scene import Floats, ObstacleKind, Scene, WallKind
from conegrad_simulation.sprites import VARIANTS, sprite
from conegrad_simulation.view import View
from conegrad_simulation.world import World

NEAREST, FARTHEST = 0.6, 70.0  # [m] of depth at which obstacles are drawn
WALL_STEP = 1.0  # [m], longest piece of a wall that is drawn as one
SUBPIXEL = 4

WALL_PAINTS = {
    WallKind.WALL: ((150, 155, 160), (110, 115, 120)),
    WallKind.BARRIER: ((40, 40, 215), (225, 225, 225)),
    WallKind.FENCE: ((140, 140, 140), (170, 170, 170)),
    WallKind.BANNER: ((190, 90, 20), (0, 200, 240)),
    WallKind.HEDGE: ((45, 85, 60), (35, 70, 50)),
}


def obstacle_depths(scene: Scene, view: View) -> Floats:
    """``(K,)`` depth of the obstacles [m]; NaN where one is not to be drawn."""
    places = np.column_stack([scene.obstacles[:, :2], np.zeros(len(scene.obstacles))])
    depths = view.depths(places)
    return np.where((depths > NEAREST) & (depths < FARTHEST), depths, np.nan)


def draw_obstacle(layers: Layers, scene: Scene, row: int, view: View, world: World) -> None:
    """Draw one obstacle as a flat picture that faces the camera."""
    x, y, radius = scene.obstacles[row]
    height = float(scene.obstacle_heights[row])
    pixels, visible = view.project(np.array([[x, y, 0.0], [x, y, height]]))
    if not visible.all():
        return
    foot, top = pixels
    # A round thing reaches nearer to the camera than its middle: its foot is lower in the image.
    tall = float(foot[1] - top[1])
    depth = float(view.depths(np.array([[x, y, 0.0]]))[0])
    wide = max(2.0 * radius, 0.02) * view.focal / depth
    if scene.obstacle_kinds[row] in (ObstacleKind.PERSON, ObstacleKind.TREE):
        wide = tall * 0.4 if scene.obstacle_kinds[row] == ObstacleKind.PERSON else tall * 0.7
    if tall < 2 or wide < 1 or tall > 3 * layers.owners.shape[0]:
        return
    variant = (world.cone_style + 7 * row) % VARIANTS
    picture = sprite(ObstacleKind(int(scene.obstacle_kinds[row])), variant)
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


def wall_pieces(scene: Scene, view: View) -> tuple[Floats, Floats]:
    """``(P, 5)`` pieces x0, y0, x1, y1, row of the wall, and their ``(P,)`` depths [m]."""
    pieces = []
    for row, (x0, y0, x1, y1) in enumerate(scene.walls):
        if scene.wall_kinds[row] == WallKind.BACKDROP:
            continue
        count = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / WALL_STEP))
        share = np.linspace(0.0, 1.0, count + 1)
        x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        pieces.append(np.column_stack([x[:-1], y[:-1], x[1:], y[1:], np.full(count, row)]))
    if not pieces:
        return np.zeros((0, 5)), np.zeros(0)
    found = np.vstack(pieces)
    ends = np.concatenate([found[:, :2], found[:, 2:4]])
    depths = view.depths(np.column_stack([ends, np.zeros(len(ends))])).reshape(2, -1)
    keep = (depths.min(axis=0) > NEAREST) & (depths.max(axis=0) < FARTHEST)
    return found[keep], depths.mean(axis=0)[keep]


def draw_wall_piece(
    layers: Layers, scene: Scene, piece: Floats, view: View, world: World
) -> None:
    """Draw one piece of a wall; a fence is posts and wires only."""
    x0, y0, x1, y1, row = piece
    row = int(row)
    top = float(scene.wall_heights[row])
    kind = WallKind(int(scene.wall_kinds[row]))
    heights = np.array([0.0, 0.0, top, top])
    corners = np.column_stack([[x0, x1, x1, x0], [y0, y1, y1, y0], heights])
    pixels, visible = view.project(corners)
    if not visible.all():
        return
    pixels = np.round(np.clip(pixels, -4000, 8000) * (1 << SUBPIXEL)).astype(np.int32)
    rng = np.random.default_rng((abs(int(x0 * 50)), abs(int(y0 * 50)), world.backdrop))
    paints = WALL_PAINTS[kind]
    tone = np.array(paints[int(rng.integers(2))]) * rng.uniform(0.8, 1.1)
    colour = tuple(np.clip(tone, 0, 255).tolist())
    if kind == WallKind.FENCE:
        cv2.polylines(layers.image, [pixels], True, colour, 1, cv2.LINE_AA, SUBPIXEL)
        return
    cv2.fillConvexPoly(layers.image, pixels, colour, cv2.LINE_AA, SUBPIXEL)
    owners = layers.owners
    cv2.fillConvexPoly(owners, pixels, 0, cv2.LINE_8, SUBPIXEL)
