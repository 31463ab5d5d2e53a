"""Collector of what stands around a planar LiDAR, and random places for it."""

import math

import numpy as np

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS
from conegrad_simulation.lidar.ray_casting import Targets
from conegrad_simulation.lidar.scene_targets import BASE_PLATE
from conegrad_simulation.planar import Floats
from conegrad_simulation.scene.scene import LEG_RADIUS

BIG_ORANGE_SHARE = 0.06
CORNERS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
WHEEL = 0.6  # [m], height and length of the wheel of a car

Rows = list[tuple[float, ...]]


class Surroundings:
    """Collects obstacles row by row, then turns them into :class:`Targets`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self._frusta: Rows = []  # 7 of Targets, is_cone, depth_scatter, solidity
        self._walls: Rows = []  # 5 of Targets, is_cone, depth_scatter, solidity

    def add_round(
        self,
        place: Floats,
        radius: float,
        top: float,
        depth_scatter: float = 0.0,
        solidity: float = 1.0,
    ) -> None:
        """Add an upright cylinder that is not a cone; place ``(2,)``, radius and top in metres."""
        self._frusta.append((*place, radius, radius, top, 0.0, 0.0, 0.0, depth_scatter, solidity))

    def add_wall(
        self,
        start: Floats,
        end: Floats,
        top: float,
        depth_scatter: float = 0.0,
        solidity: float = 1.0,
    ) -> None:
        """Add a straight wall between two points ``(2,)``, up to a height [m]."""
        self._walls.append((*start, *end, top, 0.0, depth_scatter, solidity))

    def add_block(self, middle: Floats, size: Floats, turn: float, top: float) -> None:
        """Add an upright box: middle ``(2,)``, length and width ``(2,)`` [m], direction [rad]."""
        corners = self.turned(CORNERS * size / 2, turn) + middle
        for start, end in zip(corners, np.roll(corners, 1, axis=0), strict=True):
            self.add_wall(start, end, top)

    def add_person(self, middle: Floats, stance: float, spread: float) -> None:
        """Add a person, with feet ``spread`` metres from ``(2,)`` along a direction [rad]."""
        offset = spread * np.array([math.cos(stance), math.sin(stance)])
        for side in (-1, 1):
            radius = LEG_RADIUS * self.rng.uniform(0.7, 1.2)
            self.add_round(middle + side * offset, radius, 1.0, 0.01)

    def add_table(self, middle: Floats, size: Floats, turn: float, top: float, leg: float) -> None:
        """Add four legs under a plate: size ``(2,)``, height, radius of the legs [m]."""
        for corner in CORNERS:
            spot = self.turned(0.46 * corner * size, turn) + middle
            self.add_round(spot, leg, top)

    def add_vehicle(self, middle: Floats, size: Floats, turn: float, top: float) -> None:
        """Add a car, of which a planar LiDAR below its body sees the wheels, above it the body."""
        if self.rng.random() < 0.4:
            self.add_block(middle, size, turn, top)
            return
        for corner in CORNERS:
            spot = self.turned(corner * size * (0.3, 0.44), turn) + middle
            self.add_block(spot, np.array([WHEEL, 0.2]), turn, WHEEL)

    @staticmethod
    def turned(offset: Floats, turn: float) -> Floats:
        """``(..., 2)`` offsets [m] of an object, turned by its direction [rad]."""
        cos, sin = math.cos(turn), math.sin(turn)
        return np.asarray(offset @ np.array([[cos, sin], [-sin, cos]]))

    def add_cone(self, place: Floats, solidity: float = 1.0) -> None:
        """Add a cone of random size, shape and lean at ``(2,)`` [m]; 1.5 % have fallen over."""
        rng = self.rng
        kind = 3 if rng.random() < BIG_ORANGE_SHARE else 0
        height, side = CONE_HEIGHTS[kind], CONE_WIDTHS[kind]
        bottom, top = rng.uniform(0.3, 0.42) * side, rng.uniform(0.08, 0.16) * side
        if rng.random() < 0.015:
            self._add_fallen_cone(place, bottom, height)
            return
        lean = 0.03 * rng.standard_normal(2)
        plate = rng.uniform(0.5, 0.62) * side
        self._frusta.append((*place, bottom, top, height, *lean, 1.0, 0.0, solidity))
        self._frusta.append((*place, plate, plate, BASE_PLATE, 0.0, 0.0, 1.0, 0.0, solidity))

    def _add_fallen_cone(self, place: Floats, bottom: float, height: float) -> None:
        x, y = place.tolist()
        direction = self.rng.uniform(0, 2 * math.pi)
        for along, share in ((0.0, 1.0), (0.4, 0.75), (0.8, 0.5)):
            radius = share * bottom
            dx, dy = along * height * math.cos(direction), along * height * math.sin(direction)
            row = (x + dx, y + dy, radius, radius, 2 * radius, 0.0, 0.0, 1.0, 0.0, 1.0)
            self._frusta.append(row)

    def targets(self) -> Targets:
        """All targets added until now."""
        frusta = np.array(self._frusta, dtype=np.float64).reshape(-1, 10)
        walls = np.array(self._walls, dtype=np.float64).reshape(-1, 8)
        flags = np.vstack([frusta[:, 7:], walls[:, 5:]])
        return Targets(frusta[:, :7], walls[:, :5], flags[:, 0] > 0, flags[:, 1], flags[:, 2])


def random_spot(rng: np.random.Generator, nearest: float, farthest: float) -> Floats:
    """A point whose range is uniformly distributed [m]."""
    angle, distance = rng.uniform(-math.pi, math.pi), rng.uniform(nearest, farthest)
    return distance * np.array([math.cos(angle), math.sin(angle)])


def random_chord(
    rng: np.random.Generator, nearest: float, farthest: float
) -> tuple[Floats, Floats]:
    """A line that passes the sensor at a range in [nearest, farthest], nearer ones more often."""
    foot = random_spot(rng, 0, 1)
    foot = foot / np.hypot(*foot) * (nearest + (farthest - nearest) * rng.random() ** 2)
    along = np.array([-foot[1], foot[0]]) / np.hypot(*foot)
    before, after = rng.uniform(-40, 5), rng.uniform(-5, 40)
    if after - before < 2:
        before, after = after - 4, before + 4
    return foot + before * along, foot + after * along
