"""Solids that a 3-D LiDAR can hit: tapered tubes with any axis, and upright boxes."""

from typing import NamedTuple

import numpy as np

from conegrad_simulation.planar import Bools, Floats, Ints


class Solids(NamedTuple):
    """Solids in a frame with z up; rows count the tubes first, then the boxes.

    Attributes:
        tubes: ``(T, 8)`` x, y, z of the middle of the first end, axis to the middle of the second
            end x, y, z, radii of both ends [m]; the ends are closed.
        boxes: ``(B, 7)`` x, y of the middle, half length, half width, yaw [rad], lowest and
            highest z [m].
        cone_rows: ``(T + B,)`` index of the cone that the solid is part of, -1 for none.
        depth_scatter: ``(T + B,)`` scatter of the returns along the beam, as of foliage [m].
        solidity: ``(T + B,)`` probability that a beam is stopped, in [0, 1].
        reflectivity: ``(T + B,)`` in [0, 1].
    """

    tubes: Floats
    boxes: Floats
    cone_rows: Ints
    depth_scatter: Floats
    solidity: Floats
    reflectivity: Floats

    @property
    def is_cone(self) -> Bools:
        """``(T + B,)`` whether the solid is part of a cone."""
        return np.asarray(self.cone_rows >= 0)

    def chosen(self, rows: Bools) -> "Solids":
        """The solids of a ``(T + B,)`` mask."""
        tubes = len(self.tubes)
        return Solids(
            self.tubes[rows[:tubes]],
            self.boxes[rows[tubes:]],
            self.cone_rows[rows],
            self.depth_scatter[rows],
            self.solidity[rows],
            self.reflectivity[rows],
        )


class SolidRows:
    """Collects solids row by row."""

    def __init__(self) -> None:
        self._tubes: list[tuple[float, ...]] = []
        self._boxes: list[tuple[float, ...]] = []

    def add_tube(
        self,
        start: tuple[float, float, float],
        axis: tuple[float, float, float],
        first_radius: float,
        second_radius: float | None = None,
        *,
        cone: int = -1,
        scatter: float = 0.0,
        solidity: float = 1.0,
        reflectivity: float = 0.4,
    ) -> None:
        """Add a tube from a point along an axis [m]; the second end is as wide as the first."""
        second = first_radius if second_radius is None else second_radius
        surface = (float(cone), scatter, solidity, reflectivity)
        self._tubes.append((*start, *axis, first_radius, second, *surface))

    def add_box(
        self,
        middle: tuple[float, float],
        half_size: tuple[float, float],
        yaw: float,
        low: float,
        high: float,
        *,
        cone: int = -1,
        scatter: float = 0.0,
        solidity: float = 1.0,
        reflectivity: float = 0.4,
    ) -> None:
        """Add an upright box between two heights [m]."""
        surface = (float(cone), scatter, solidity, reflectivity)
        self._boxes.append((*middle, *half_size, yaw, low, high, *surface))

    def solids(self) -> Solids:
        """All solids added until now."""
        tubes = np.array(self._tubes, dtype=np.float64).reshape(-1, 12)
        boxes = np.array(self._boxes, dtype=np.float64).reshape(-1, 11)
        cone, scatter, solidity, reflectivity = np.vstack([tubes[:, 8:], boxes[:, 7:]]).T
        rows = cone.astype(np.int64)
        return Solids(tubes[:, :8], boxes[:, :7], rows, scatter, solidity, reflectivity)
