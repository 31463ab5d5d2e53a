"""Tracks: the cones of a course and its centre line."""

import math
from dataclasses import dataclass

import numpy as np

from conegrad_simulation.planar import Floats, Ints, Pose


@dataclass(frozen=True)
class Track:
    """Cones of a course in the map frame.

    Attributes:
        name: of the course.
        positions: ``(N, 2)`` cones [m].
        classes: ``(N,)`` :class:`conegrad_core.cones.ConeClass`.
        centre_line: ``(M, 2)`` points in driving order, about evenly spaced [m].
        is_closed: whether the last point of the centre line leads to the first.
    """

    name: str
    positions: Floats
    classes: Ints
    centre_line: Floats
    is_closed: bool

    def start_pose(self) -> Pose:
        """Pose on the first point of the centre line, heading along it [m, rad]."""
        (x, y), (ahead_x, ahead_y) = self.centre_line[0], self.centre_line[1]
        return Pose(float(x), float(y), math.atan2(ahead_y - y, ahead_x - x))

    def scaled(self, factor: float) -> "Track":
        """The same course with all distances multiplied by ``factor``; cones keep their size."""
        return Track(
            self.name,
            self.positions * factor,
            self.classes,
            np.asarray(self.centre_line) * factor,
            self.is_closed,
        )
