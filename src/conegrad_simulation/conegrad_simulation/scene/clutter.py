"""Cluttered scenes: cones of varied shape, obstacles and walls."""

import math

import numpy as np

from conegrad_simulation.planar import Floats, Ints
from conegrad_simulation.scene.cone_shapes import cone_shapes
from conegrad_simulation.scene.decoys import random_decoys
from conegrad_simulation.scene.scene import ObstacleKind, Scene, WallKind
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track import Track

CLEAR_LINE_STEP = 8  # every so many points of a centre line are kept free of obstacles
CLEAR_OF_CONES = 0.8  # [m] between obstacles and cones
DECOY_CLEAR_OF_CONES, DECOY_CLEAR_OF_CAR = 0.45, 1.5  # [m]
CLEAR_OF_LANE = 2.6  # [m] between obstacles and the points that are kept clear

# Radius and height [m], lowest and highest.
SIZES = {
    ObstacleKind.POST: ((0.03, 0.08), (0.5, 2.5)),
    ObstacleKind.TYRE_STACK: ((0.25, 0.35), (0.25, 1.2)),
    ObstacleKind.PERSON: ((0.22, 0.3), (1.5, 1.95)),
    ObstacleKind.BARREL: ((0.12, 0.35), (0.3, 1.0)),
    ObstacleKind.BIN: ((0.2, 0.4), (0.5, 1.2)),
    ObstacleKind.TREE: ((0.1, 0.2), (3.0, 8.0)),
    ObstacleKind.BOX: ((0.1, 0.6), (0.2, 1.1)),
}
ODDS = (0.18, 0.14, 0.22, 0.16, 0.1, 0.06, 0.14)  # in the order of ObstacleKind

WALL_HEIGHTS = {
    WallKind.WALL: (0.5, 3.0),
    WallKind.BARRIER: (0.3, 1.0),
    WallKind.FENCE: (0.8, 2.2),
    WallKind.BANNER: (0.6, 1.2),
    WallKind.HEDGE: (0.4, 2.0),
}


def cluttered_scene(
    positions: Floats, classes: Ints, keep_clear: Floats, world: World, seed: int
) -> Scene:
    """Scene with cones of varied shape, obstacles and walls by the world's clutter.

    Args:
        positions: ``(N, 2)`` cones in the map [m].
        classes: ``(N,)`` classes of the cones.
        keep_clear: ``(P, 2)`` points of the lane [m], without obstacles within 2.6 m.
        world: clutter and manufacturers of the cones.
        seed: of the scene.
    """
    rng = np.random.default_rng((seed, 0xF42E))
    anchors = positions if len(positions) else keep_clear
    obstacles, heights, kinds = _obstacles(rng, anchors, positions, keep_clear, world)
    walls, wall_heights, wall_kinds = _walls(rng, anchors, positions, keep_clear, world)
    shapes = cone_shapes(rng, np.asarray(classes), world)
    if world.decoys > 0:
        found = _clear(*random_decoys(rng, anchors, world.decoys), positions, keep_clear[:1])
        obstacles, heights = np.vstack([obstacles, found[0]]), np.concatenate([heights, found[1]])
        kinds = np.concatenate([kinds, found[2]])
    return Scene(
        np.asarray(positions, dtype=np.float64),
        np.asarray(classes, dtype=np.int64),
        *shapes,
        obstacles,
        heights,
        kinds,
        walls,
        wall_heights,
        wall_kinds,
    )


def track_scene(track: Track, world: World, seed: int) -> Scene:
    """Scene along a track, whose centre line is kept free of obstacles.

    Args:
        track: cones and centre line in the map frame [m].
        world: clutter and manufacturers of the cones.
        seed: of the scene.
    """
    keep_clear = track.centre_line[::CLEAR_LINE_STEP]
    return cluttered_scene(track.positions, track.classes, keep_clear, world, seed)


def ring_of_walls(scene: Scene, centre: Floats, radius: float) -> Scene:
    """The scene inside a near backdrop, without the cones and obstacles beyond it.

    Args:
        scene: in the map frame.
        centre: ``(2,)`` of the ring of backdrop walls in the map [m].
        radius: of the ring [m].
    """
    cones = np.linalg.norm(scene.cone_positions - centre, axis=1) < radius - 0.4
    inside = np.linalg.norm(scene.obstacles[:, :2] - centre, axis=1) < radius - 0.5
    ends = scene.walls.reshape(-1, 2, 2) - centre
    walls = (np.linalg.norm(ends, axis=2) < radius - 0.3).all(axis=1)
    angle = np.linspace(0, 2 * np.pi, 49)
    corner = centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring = np.hstack([corner[:-1], corner[1:]])
    return Scene(
        scene.cone_positions[cones],
        scene.cone_classes[cones],
        scene.cone_heights[cones],
        scene.cone_base_sides[cones],
        scene.cone_bottom_radii[cones],
        scene.cone_top_radii[cones],
        scene.cone_leans[cones],
        scene.cone_yaws[cones],
        scene.obstacles[inside],
        scene.obstacle_heights[inside],
        scene.obstacle_kinds[inside],
        np.vstack([scene.walls[walls], ring]),
        np.concatenate([scene.wall_heights[walls], np.full(len(ring), 3.0)]),
        np.concatenate([scene.wall_kinds[walls], np.full(len(ring), int(WallKind.BACKDROP))]),
    )


def _obstacles(
    rng: np.random.Generator, anchors: Floats, cones: Floats, keep_clear: Floats, world: World
) -> tuple[Floats, Floats, Ints]:
    count = rng.poisson(world.clutter * (6 + 0.25 * len(anchors)))
    kinds = rng.choice(len(ODDS), size=count, p=ODDS)
    shares = rng.random((count, 2))
    limits = np.array([SIZES[ObstacleKind(int(kind))] for kind in kinds]).reshape(count, 2, 2)
    sizes = limits[..., 0] + shares * (limits[..., 1] - limits[..., 0])
    angle, distance = rng.uniform(0, 2 * np.pi, count), rng.uniform(1.0, 14.0, count)
    offset = distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = anchors[rng.integers(len(anchors), size=count)] + offset
    clear = _gaps(places, cones) > CLEAR_OF_CONES
    clear &= _gaps(places, keep_clear) > CLEAR_OF_LANE
    obstacles = np.column_stack([places, sizes[:, 0]])
    return obstacles[clear], sizes[clear, 1], kinds[clear].astype(np.int64)


def _clear(
    obstacles: Floats, heights: Floats, kinds: Ints, cones: Floats, keep_clear: Floats
) -> tuple[Floats, Floats, Ints]:
    """Decoys that stand neither in a cone nor in the car; they may stand on the lane."""
    clear = _gaps(obstacles[:, :2], cones) > DECOY_CLEAR_OF_CONES
    clear &= _gaps(obstacles[:, :2], keep_clear) > DECOY_CLEAR_OF_CAR
    return obstacles[clear], heights[clear], kinds[clear]


def _walls(
    rng: np.random.Generator, anchors: Floats, cones: Floats, keep_clear: Floats, world: World
) -> tuple[Floats, Floats, Ints]:
    count = rng.poisson(world.clutter * (2 + 0.03 * len(anchors)))
    kinds = rng.integers(len(WALL_HEIGHTS), size=count)
    start = anchors[rng.integers(len(anchors), size=count)] + rng.uniform(-18, 18, (count, 2))
    angle, length = rng.uniform(0, 2 * np.pi, count), rng.uniform(2.0, 20.0, count)
    end = start + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    along = start[:, None] + np.linspace(0, 1, 21)[None, :, None] * (end - start)[:, None]
    clear = _gaps(along.reshape(-1, 2), cones).reshape(count, 21).min(axis=1, initial=9e9) > 1.0
    near = _gaps(along.reshape(-1, 2), keep_clear).reshape(count, 21).min(axis=1, initial=9e9)
    clear &= near > CLEAR_OF_LANE + 0.5
    heights = np.array([rng.uniform(*WALL_HEIGHTS[WallKind(int(kind))]) for kind in kinds])
    walls = np.hstack([start, end])
    return walls[clear], heights.reshape(-1)[clear], kinds[clear].astype(np.int64)


def _gaps(places: Floats, others: Floats) -> Floats:
    """Distance of each place to the nearest of the others [m]."""
    if not len(others) or not len(places):
        return np.full(len(places), math.inf)
    step = 1 if len(others) < 400 else 4
    offsets = places[:, None] - others[None, ::step]
    return np.asarray(np.sqrt((offsets**2).sum(axis=2)).min(axis=1))
