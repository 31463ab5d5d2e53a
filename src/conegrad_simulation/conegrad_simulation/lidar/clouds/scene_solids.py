"""Conversion of a scene to the solids that a 3-D LiDAR hits; it stands on flat ground."""

import math
from typing import Any

import numpy as np

from conegrad_simulation.lidar.clouds.solids import SolidRows, Solids
from conegrad_simulation.lidar.scene_targets import BASE_PLATE, FALLEN, WALL_SURFACES
from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.scene import LEG_RADIUS, LEG_SPREAD, ObstacleKind, Scene, WallKind

CONE_REFLECTIVITY = 0.6
WALL_WIDTH = 0.1  # [m]


def scene_solids(scene: Scene) -> Solids:
    """Solids in the map frame; ``cone_rows`` are rows of the scene's cones."""
    rows = SolidRows()
    for cone in range(len(scene.cone_positions)):
        _add_cone(rows, scene, cone)
    for (x, y, radius), height, kind in zip(
        scene.obstacles.tolist(), scene.obstacle_heights.tolist(), scene.obstacle_kinds, strict=True
    ):
        if kind == ObstacleKind.PERSON:
            _add_person(rows, (x, y), height)
        elif kind == ObstacleKind.BOX:
            rows.add_box((x, y), (radius, radius), 0.0, 0.0, height)
        else:
            rows.add_tube((x, y, 0.0), (0.0, 0.0, height), radius)
    for wall, height, kind in zip(
        scene.walls, scene.wall_heights.tolist(), scene.wall_kinds, strict=True
    ):
        _add_wall(rows, wall, height, WallKind(int(kind)))
    return rows.solids()


def _add_cone(rows: SolidRows, scene: Scene, cone: int) -> None:
    x, y = scene.cone_positions[cone].tolist()
    height, side = float(scene.cone_heights[cone]), float(scene.cone_base_sides[cone])
    bottom, top = float(scene.cone_bottom_radii[cone]), float(scene.cone_top_radii[cone])
    lean = scene.cone_leans[cone]
    surface: dict[str, Any] = {"cone": cone, "reflectivity": CONE_REFLECTIVITY}
    tilt = float(np.hypot(*lean))
    if tilt > FALLEN:
        ahead, left = (lean / tilt).tolist()
        axis = (ahead * height, left * height, top - bottom)
        rows.add_tube((x, y, bottom), axis, bottom, top, **surface)
        plate = (ahead * BASE_PLATE, left * BASE_PLATE, 0.0)
        rows.add_tube((x, y, 0.5 * side), plate, 0.5 * side, **surface)
        return
    rows.add_tube((x, y, 0.0), (*(height * np.tan(lean)).tolist(), height), bottom, top, **surface)
    half = (0.5 * side, 0.5 * side)
    rows.add_box((x, y), half, float(scene.cone_yaws[cone]), 0.0, BASE_PLATE, **surface)


def _add_person(rows: SolidRows, place: tuple[float, float], height: float) -> None:
    x, y = place
    for side in (-LEG_SPREAD, LEG_SPREAD):
        rows.add_tube((x, y + side, 0.0), (0.0, 0.0, 0.48 * height), LEG_RADIUS)
    rows.add_tube((x, y, 0.48 * height), (0.0, 0.0, 0.36 * height), 0.15, 0.19)
    rows.add_tube((x, y, 0.84 * height), (0.0, 0.0, 0.16 * height), 0.1)


def _add_wall(rows: SolidRows, wall: Floats, height: float, kind: WallKind) -> None:
    x0, y0, x1, y1 = wall.tolist()
    half = (0.5 * math.hypot(x1 - x0, y1 - y0), 0.5 * WALL_WIDTH)
    scatter, solidity = WALL_SURFACES.get(kind, (0.0, 1.0))
    rows.add_box(
        (0.5 * (x0 + x1), 0.5 * (y0 + y1)), half, math.atan2(y1 - y0, x1 - x0), 0.0, height,
        scatter=scatter, solidity=solidity,
    )  # fmt: skip
