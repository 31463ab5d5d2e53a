"""Scenes: cones with their exact shapes, obstacles and walls."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS
from conegrad_simulation.planar import Floats, Ints

LEG_RADIUS = 0.07  # [m]
LEG_SPREAD = 0.12  # [m], from the middle of a person to each leg


class ObstacleKind(IntEnum):
    """Kinds of round obstacles."""

    POST = 0
    TYRE_STACK = 1
    PERSON = 2
    BARREL = 3
    BIN = 4
    TREE = 5
    BOX = 6
    # Decoys: things in the colours of cones.
    BOLLARD = 20
    EXTINGUISHER = 21
    SHOE = 22
    FLAG = 23
    PANEL = 24
    LAMP = 25


class WallKind(IntEnum):
    """Kinds of straight wall segments."""

    WALL = 0
    BARRIER = 1
    FENCE = 2
    BANNER = 3
    HEDGE = 4
    BACKDROP = 5  # the foot of the painted panorama: a wall for the LiDAR, not drawn again


@dataclass(frozen=True)
class Scene:
    """Cones, obstacles and walls in the map frame, all standing on the ground z = 0.

    Attributes:
        cone_positions: ``(N, 2)`` [m].
        cone_classes: ``(N,)`` :class:`conegrad_core.cones.ConeClass`.
        cone_heights: ``(N,)`` [m].
        cone_base_sides: ``(N,)`` side of the square base plate, about 0.03 m thick [m].
        cone_bottom_radii: ``(N,)`` radius of the round body at the ground [m].
        cone_top_radii: ``(N,)`` radius of the round body at the top [m]; linear in between.
        cone_leans: ``(N, 2)`` lean of the axis towards x and y [rad]; about pi/2 is fallen over.
        cone_yaws: ``(N,)`` orientation of the base plate [rad].
        obstacles: ``(K, 3)`` x, y, radius [m].
        obstacle_heights: ``(K,)`` [m].
        obstacle_kinds: ``(K,)`` :class:`ObstacleKind`.
        walls: ``(W, 4)`` x0, y0, x1, y1 [m].
        wall_heights: ``(W,)`` [m].
        wall_kinds: ``(W,)`` :class:`WallKind`.
    """

    cone_positions: Floats
    cone_classes: Ints
    cone_heights: Floats
    cone_base_sides: Floats
    cone_bottom_radii: Floats
    cone_top_radii: Floats
    cone_leans: Floats
    cone_yaws: Floats
    obstacles: Floats
    obstacle_heights: Floats
    obstacle_kinds: Ints
    walls: Floats
    wall_heights: Floats
    wall_kinds: Ints

    def planar_circles(self) -> tuple[Floats, Floats]:
        """``(C, 3)`` circles (x, y, radius) and ``(C,)`` heights [m] that a scan plane can hit.

        A person has two legs, every other obstacle is one circle.
        """
        people = self.obstacle_kinds == ObstacleKind.PERSON
        middle, heights = self.obstacles[people], self.obstacle_heights[people]
        # The direction of the stance follows from the place, so that it needs no random draw.
        stance = middle[:, 0] * 12.9898 + middle[:, 1] * 78.233
        offset = LEG_SPREAD * np.stack([np.cos(stance), np.sin(stance)], axis=1)
        radius = np.full((len(middle), 1), LEG_RADIUS)
        legs = [np.hstack([middle[:, :2] + side * offset, radius]) for side in (-1, 1)]
        circles = np.vstack([self.obstacles[~people], *legs])
        return circles, np.concatenate([self.obstacle_heights[~people], heights, heights])


def standard_scene(positions: Floats, classes: Ints) -> Scene:
    """Scene of upright cones with exactly the dimensions of the rules, without obstacles.

    Args:
        positions: ``(N, 2)`` in the map [m].
        classes: ``(N,)`` :class:`conegrad_core.cones.ConeClass`.
    """
    positions = np.asarray(positions, dtype=np.float64).reshape(-1, 2)
    classes = np.asarray(classes, dtype=np.int64).reshape(-1)
    # A cone of unknown colour has the dimensions of a small one.
    rows = np.where(classes < len(CONE_HEIGHTS), classes, 0)
    heights, sides = np.array(CONE_HEIGHTS)[rows], np.array(CONE_WIDTHS)[rows]
    no_kinds = np.zeros(0, dtype=np.int64)
    return Scene(
        cone_positions=positions,
        cone_classes=classes,
        cone_heights=heights,
        cone_base_sides=sides,
        cone_bottom_radii=0.40 * sides,
        cone_top_radii=0.12 * sides,
        cone_leans=np.zeros((len(classes), 2)),
        cone_yaws=np.zeros(len(classes)),
        obstacles=np.zeros((0, 3)),
        obstacle_heights=np.zeros(0),
        obstacle_kinds=no_kinds,
        walls=np.zeros((0, 4)),
        wall_heights=np.zeros(0),
        wall_kinds=no_kinds,
    )
