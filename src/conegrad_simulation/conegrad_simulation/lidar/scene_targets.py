"""Conversion of a scene to the targets of a LiDAR plane."""

import numpy as np

from conegrad_simulation.lidar.ray_casting import Targets
from conegrad_simulation.planar import Floats, Ints
from conegrad_simulation.scene.scene import Scene, WallKind

BASE_PLATE = 0.03  # [m], thickness of the plate under a cone
PLATE_RADIUS = 0.55  # of the side: a round plate as wide as the square one on average
FALLEN = 0.6  # [rad], a cone with a larger lean lies on the ground
# Where along the axis of a fallen cone a circle stands for it, as a share of its height.
FALLEN_CIRCLES = (0.0, 0.4, 0.8)

# Scatter [m] and share of stopped beams by kind of wall; the others are solid.
WALL_SURFACES = {WallKind.FENCE: (0.02, 0.4), WallKind.HEDGE: (0.15, 0.8)}


def scene_targets(scene: Scene) -> tuple[Targets, Ints]:
    """Targets in the map frame, and the row of the cone of each target (-1: none).

    Round bodies keep their taper; the square base plate becomes a round one; a fallen cone
    becomes three circles along its axis.
    """
    fallen = np.hypot(*scene.cone_leans.T) > FALLEN
    parts = [_bodies(scene, ~fallen), _plates(scene, ~fallen)]
    parts += [_fallen_circles(scene, fallen, along) for along in FALLEN_CIRCLES]
    cones = np.vstack([frusta for frusta, _ in parts])
    circles, heights = scene.planar_circles()
    upright = np.zeros(len(circles))
    obstacles = np.column_stack([circles, circles[:, 2], heights, upright, upright])
    walls = np.column_stack([scene.walls, scene.wall_heights])
    cone_rows = np.concatenate([rows for _, rows in parts])
    cone_rows = np.concatenate([cone_rows, np.full(len(obstacles) + len(walls), -1)])
    depth_scatter, solidity = np.zeros(len(cone_rows)), np.ones(len(cone_rows))
    for kind, surface in WALL_SURFACES.items():
        rows = len(cones) + len(obstacles) + np.flatnonzero(scene.wall_kinds == kind)
        depth_scatter[rows], solidity[rows] = surface
    return Targets(
        np.vstack([cones, obstacles]), walls, cone_rows >= 0, depth_scatter, solidity
    ), cone_rows


def _bodies(scene: Scene, chosen: np.ndarray) -> tuple[Floats, Ints]:
    bottom, top = scene.cone_bottom_radii, scene.cone_top_radii
    columns = [scene.cone_positions, bottom, top, scene.cone_heights, scene.cone_leans]
    return np.column_stack(columns)[chosen], np.flatnonzero(chosen)


def _plates(scene: Scene, chosen: np.ndarray) -> tuple[Floats, Ints]:
    radii = PLATE_RADIUS * scene.cone_base_sides
    columns = [scene.cone_positions, radii, radii, np.full(len(radii), BASE_PLATE)]
    upright = np.zeros((len(radii), 2))
    return np.column_stack([*columns, upright])[chosen], np.flatnonzero(chosen)


def _fallen_circles(scene: Scene, chosen: np.ndarray, along: float) -> tuple[Floats, Ints]:
    bottom, top = scene.cone_bottom_radii, scene.cone_top_radii
    radii = bottom + along * (top - bottom)
    lean = scene.cone_leans / np.maximum(np.hypot(*scene.cone_leans.T), 1e-9)[:, None]
    places = scene.cone_positions + along * scene.cone_heights[:, None] * lean
    upright = np.zeros((len(radii), 2))
    columns = [places, radii, radii, 2 * radii, upright]
    return np.column_stack(columns)[chosen], np.flatnonzero(chosen)
