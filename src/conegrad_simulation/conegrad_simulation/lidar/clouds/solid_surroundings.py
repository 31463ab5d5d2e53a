"""Surroundings of a planar LiDAR as solids with true heights, for a 3-D one."""

import math
from typing import Any, NamedTuple

import numpy as np

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS
from conegrad_simulation.lidar.clouds.solids import SolidRows, Solids
from conegrad_simulation.lidar.clouds.terrain import Terrain
from conegrad_simulation.lidar.scene_targets import BASE_PLATE
from conegrad_simulation.lidar.surroundings import BIG_ORANGE_SHARE, CORNERS, WHEEL, Surroundings
from conegrad_simulation.planar import Floats, Ints

BURIED = 0.4  # [m], boxes go this far into the ground, so that no gap shows on a slope
PIECE = 5.0  # [m], longer walls are cut, so that they follow the ground


class Place(NamedTuple):
    """Cones and solids around the origin of a map.

    Attributes:
        solids: of everything but the ground.
        cone_positions: ``(M, 3)`` of the middle of the base [m].
        cone_heights: ``(M,)`` [m]; of a cone that has fallen over its diameter.
        cone_classes: ``(M,)`` 3 for a big orange cone, 0 for a small one of any colour.
    """

    solids: Solids
    cone_positions: Floats
    cone_heights: Floats
    cone_classes: Ints


class SolidSurroundings(Surroundings):
    """Turns the same surroundings as those of a planar LiDAR into solids with true heights."""

    def __init__(self, rng: np.random.Generator, terrain: Terrain) -> None:
        super().__init__(rng)
        self.terrain = terrain
        self.rows = SolidRows()
        self._cones: list[tuple[float, float, float, float, float]] = []
        self._paint = float(rng.uniform(0.2, 0.8))
        self._slim, self._tip = rng.uniform(0.3, 0.42), rng.uniform(0.08, 0.16)

    def ground(self, place: Floats) -> float:
        """Height of the ground at a place ``(2,)`` [m]."""
        return float(self.terrain.heights(np.asarray(place[0]), np.asarray(place[1])))

    def foot(self, place: Floats) -> tuple[float, float, float]:
        """x, y and z of the ground at a place ``(2,)`` [m]."""
        return float(place[0]), float(place[1]), self.ground(place)

    def add_round(
        self,
        place: Floats,
        radius: float,
        top: float,
        depth_scatter: float = 0.0,
        solidity: float = 1.0,
    ) -> None:
        """Add an upright cylinder; one that reaches a planar LiDAR at any height may be higher."""
        height = top * self.rng.uniform(0.8, 2.5) if top >= 1.0 else top
        self.rows.add_tube(
            (float(place[0]), float(place[1]), self.ground(place) - 0.05),
            (*self.rng.normal(0, 0.01, 2).tolist(), height + 0.05),
            radius,
            scatter=depth_scatter,
            solidity=solidity,
            reflectivity=self.rng.uniform(0.05, 0.9),
        )

    def add_wall(
        self,
        start: Floats,
        end: Floats,
        top: float,
        depth_scatter: float = 0.0,
        solidity: float = 1.0,
    ) -> None:
        """Add a straight wall as pieces of boxes; low ones are kerbs with a width."""
        rng = self.rng
        height = top * rng.uniform(0.6, 3.0) if top >= 1.0 else top * rng.uniform(0.4, 1.3)
        thickness = rng.uniform(0.1, 0.4) if top < 0.5 else rng.uniform(0.01, 0.15)
        way = np.asarray(end) - np.asarray(start)
        length = float(np.hypot(*way))
        yaw = math.atan2(way[1], way[0])
        count = max(1, math.ceil(length / PIECE))
        reflectivity = rng.uniform(0.05, 0.9)
        for index in range(count):
            middle = start + way * (index + 0.5) / count
            half = (0.5 * length / count, 0.5 * thickness)
            ground = self.ground(middle)
            self.rows.add_box(
                (float(middle[0]), float(middle[1])), half, yaw, ground - BURIED, ground + height,
                scatter=depth_scatter, solidity=solidity, reflectivity=reflectivity,
            )  # fmt: skip

    def add_block(self, middle: Floats, size: Floats, turn: float, top: float) -> None:
        """Add an upright box."""
        self.add_solid_box(middle, size, turn, top * self.rng.uniform(0.2, 2.2))

    def add_solid_box(
        self, middle: Floats, size: Floats, turn: float, high: float, low: float = -BURIED
    ) -> None:
        """Add a box of ``(2,)`` size between two heights above the ground [m]."""
        ground = self.ground(middle)
        half = (0.5 * float(size[0]), 0.5 * float(size[1]))
        self.rows.add_box(
            (float(middle[0]), float(middle[1])), half, turn, ground + low, ground + high,
            reflectivity=self.rng.uniform(0.05, 0.9),
        )  # fmt: skip

    def add_table(self, middle: Floats, size: Floats, turn: float, top: float, leg: float) -> None:
        """Add four legs under a plate."""
        super().add_table(middle, size, turn, top, leg)
        self.add_solid_box(middle, size, turn, top + 0.04, low=top)

    def add_vehicle(self, middle: Floats, size: Floats, turn: float, top: float) -> None:
        """Add a car or a van: a body above the ground, a cabin, four wheels."""
        rng = self.rng
        waist = min(rng.uniform(0.7, 1.0), top)
        self.add_solid_box(middle, size, turn, waist, low=rng.uniform(0.12, 0.3))
        if top > waist:
            cabin = size * (0.98 if top > 1.7 else 0.55)
            self.add_solid_box(middle, cabin, turn, top, low=waist)
        axle = (-0.2 * math.sin(turn), 0.2 * math.cos(turn), 0.0)
        for corner in CORNERS:
            x, y, ground = self.foot(self.turned(corner * size * (0.3, 0.44), turn) + middle)
            start = (x - 0.5 * axle[0], y - 0.5 * axle[1], ground + 0.5 * WHEEL)
            self.rows.add_tube(start, axle, 0.5 * WHEEL, reflectivity=0.05)

    def add_person(self, middle: Floats, stance: float, spread: float) -> None:
        """Add a person who stands, or one in five times crouches."""
        rng = self.rng
        squat = rng.uniform(0.4, 0.7) if rng.random() < 0.2 else 1.0
        ground, tall = self.ground(middle), rng.uniform(1.55, 1.95) * squat
        across = spread * np.array([math.cos(stance), math.sin(stance)])
        hips = 0.48 * tall
        for side in (-1.0, 1.0):
            foot = middle + side * across
            inwards = (-side * 0.4 * across).tolist()
            self.rows.add_tube((*foot.tolist(), ground), (*inwards, hips), 0.06, 0.085)
            arm = (middle + side * across / max(spread, 1e-6) * 0.22).tolist()
            self.rows.add_tube((*arm, ground + hips), (0.0, 0.0, 0.33 * tall), 0.045)
        x, y = middle.tolist()
        self.rows.add_tube((x, y, ground + hips), (0.0, 0.0, 0.34 * tall), 0.14, 0.19)
        self.rows.add_tube((x, y, ground + 0.84 * tall), (0.0, 0.0, 0.16 * tall), 0.1, 0.09)

    def add_cone(self, place: Floats, solidity: float = 1.0) -> None:
        """Add a cone on its square plate; 1.5 % have fallen over."""
        rng = self.rng
        kind = 3 if rng.random() < BIG_ORANGE_SHARE else 0
        height = CONE_HEIGHTS[kind] * rng.normal(1.0, 0.02)
        side = CONE_WIDTHS[kind] * rng.normal(1.0, 0.02)
        bottom, top, index = self._slim * side, self._tip * side, len(self._cones)
        x, y, ground = float(place[0]), float(place[1]), self.ground(place)
        surface: dict[str, Any] = {
            "cone": index,
            "solidity": max(solidity, 0.85),
            "reflectivity": self._paint,
        }
        lean = 0.03 * rng.standard_normal(2)
        if rng.random() < 0.015:
            towards = rng.uniform(0, 2 * math.pi)
            axis = (height * math.cos(towards), height * math.sin(towards), top - bottom)
            self.rows.add_tube((x, y, ground + bottom), axis, bottom, top, **surface)
            plate = (axis[0] * 0.06, axis[1] * 0.06, 0.0)
            self.rows.add_tube((x, y, ground + 0.5 * side), plate, 0.5 * side, **surface)
            self._cones.append((x, y, ground, side, kind))
            return
        axis = (lean[0] * height, lean[1] * height, height)
        self.rows.add_tube((x, y, ground), axis, bottom, top, **surface)
        half = (0.5 * side, 0.5 * side)
        self.rows.add_box(
            (x, y), half, rng.uniform(0, math.pi), ground - 0.02, ground + BASE_PLATE, **surface
        )
        self._cones.append((x, y, ground, height, kind))

    def place(self) -> Place:
        """Everything added until now."""
        cones = np.array(self._cones, dtype=np.float64).reshape(-1, 5)
        return Place(self.rows.solids(), cones[:, :3], cones[:, 3], cones[:, 4].astype(np.int64))
