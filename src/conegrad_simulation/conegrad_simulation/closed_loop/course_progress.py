"""Progress of a car on its course: laps, offset from the centre line, departure from the lane."""

import math
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.spatial import cKDTree

from conegrad_simulation.planar import Border, Floats, Pose
from conegrad_simulation.track.curve import arc_lengths, resample
from conegrad_simulation.track.track import Track

STEP = 0.25  # [m] between points of the line
WINDOW = 2.0  # [m] around the last position in which the next one is searched
WIDTH_WINDOW = 6.0  # [m] along the line over which the width of the lane is taken


class CoursePosition(NamedTuple):
    """A position on the course.

    Attributes:
        along: distance driven along the centre line since the start [m].
        lateral: offset to the left of the centre line [m].
        is_off: the origin of ``base_link`` is beyond the cones of the lane.
    """

    along: float
    lateral: float
    is_off: bool


class CourseProgress:
    """Follows a car along the centre line of a track.

    Attributes:
        length: of one lap, or from the start to the end of an open track [m].
        is_closed: whether the track leads back to its start.
    """

    def __init__(self, track: Track) -> None:
        self.is_closed = track.is_closed
        line = resample(track.centre_line, STEP, is_closed=track.is_closed)
        # Corners of a map's line, which joins middles of cones, are rounded.
        mode: Border = "wrap" if track.is_closed else "nearest"
        self.line: Floats = uniform_filter1d(line, 9, axis=0, mode=mode)
        if not track.is_closed:
            self.line[[0, -1]] = line[[0, -1]]
        ring = np.vstack([self.line, self.line[:1]]) if track.is_closed else self.line
        steps = arc_lengths(ring)
        self.length = float(steps[-1])
        self._along = steps[: len(self.line)]
        self._half_widths = _half_widths(self.line, track.positions, mode)
        self._row = 0
        self._laps = 0
        self._start = 0.0

    def start(self, pose: Pose) -> None:
        """Begin at a pose of ``base_link`` in the map, anywhere on the course."""
        self._row = int(np.linalg.norm(self.line - [pose.x, pose.y], axis=1).argmin())
        self._laps = 0
        self._start = self._station(pose)[0]

    def update(self, pose: Pose) -> CoursePosition:
        """Position of a car at a pose near that of the last call."""
        reach = max(2, round(WINDOW / STEP))
        rows = self._row + np.arange(-reach, reach + 1)
        rows = rows % len(self.line) if self.is_closed else rows.clip(0, len(self.line) - 1)
        distances = np.linalg.norm(self.line[rows] - [pose.x, pose.y], axis=1)
        row = int(rows[distances.argmin()])
        if self.is_closed and row - self._row < -len(self.line) / 2:
            self._laps += 1
        elif self.is_closed and row - self._row > len(self.line) / 2:
            self._laps -= 1
        self._row = row
        along, lateral = self._station(pose)
        driven = along + self._laps * self.length - self._start
        return CoursePosition(driven, lateral, abs(lateral) > float(self._half_widths[row]))

    def _station(self, pose: Pose) -> tuple[float, float]:
        """Distance along the line and offset to its left, at the present row [m]."""
        rows = np.array([self._row - 1, self._row + 1])
        last = len(self.line) - 1
        rows = rows % (last + 1) if self.is_closed else rows.clip(0, last)
        before, after = self.line[rows]
        heading = math.atan2(after[1] - before[1], after[0] - before[0])
        dx, dy = pose.x - self.line[self._row, 0], pose.y - self.line[self._row, 1]
        ahead = math.cos(heading) * dx + math.sin(heading) * dy
        left = math.cos(heading) * dy - math.sin(heading) * dx
        return float(self._along[self._row]) + ahead, left


def _half_widths(line: Floats, cones: Floats, mode: Border) -> Floats:
    """Half of the lane at each point of the line: how far its nearest cones stand."""
    nearest: Floats = np.asarray(cKDTree(cones).query(line)[0])
    window = max(1, round(WIDTH_WINDOW / STEP))
    return np.asarray(maximum_filter1d(nearest, window, mode=mode))
