"""Cones carried on by odometry: do they stand still, and do they keep their colour?"""

import math
from collections import deque
from statistics import median

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import ConeClass
from conegrad_core.consistency.frame import Floats, ObservedFrame
from conegrad_core.geometry.odometry import Pose2

GATE = 0.6  # [m] between a cone and where it was a frame before
REACH = 10.0  # [m]; farther cones are too uncertain
LIDAR_SOURCE = 2  # bit of Cones.source
KNOWN = 3.0  # votes of a colour after which it is known
MOST_VOTES = 6.0
LEAST_WAY = 1.0  # [m] driven since a cone was first seen, before its drift counts
LONGEST_WAY = 4.0  # [m]; then its drift counts from anew
LEAST_TRACKS = 3
LEAST_COLOURS = 6  # in the window

Ints = npt.NDArray[np.int64]


class CarriedCones:
    """Tracks of the cones around the car, in the frame of the odometry.

    Args:
        window: frames that shares are taken over.

    Attributes:
        drift: median drift of the cones per metre driven.
    """

    def __init__(self, window: int) -> None:
        self._colour_counts: deque[tuple[int, int]] = deque(maxlen=window)  # changed, known
        self._drifts: deque[float] = deque(maxlen=window)
        self.clear()

    def clear(self) -> None:
        """Forget all cones: the odometry begins anew."""
        self._places = np.zeros((0, 2))
        self._anchors = np.zeros((0, 2))
        self._ways = np.zeros(0)  # driven when the anchor was set [m]
        self._votes = np.zeros((0, len(ConeClass)))
        self._way, self._pose = 0.0, None
        self._drifts.clear()
        self._colour_counts.clear()

    _pose: Pose2 | None

    @property
    def drift(self) -> float:
        """Median drift per metre driven over the window; 0 where there is too little to tell."""
        window = self._drifts
        return median(window) if len(window) == window.maxlen else 0.0

    @property
    def colours_changed(self) -> float:
        """Share of known cones whose colour differs from the one before; 0 if there are few."""
        changed = sum(row[0] for row in self._colour_counts)
        known = sum(row[1] for row in self._colour_counts)
        return changed / known if known >= LEAST_COLOURS else 0.0

    def observe(self, frame: ObservedFrame) -> None:
        """Take the cones of the next frame; without odometry they cannot be carried on."""
        if frame.pose is None:
            self.clear()
            return
        pose = frame.pose
        if self._pose is not None:
            self._way += math.hypot(pose.x - self._pose.x, pose.y - self._pose.y)
        self._pose = pose
        cones = frame.cones
        of_lidar = cones.positions.numpy().astype(np.float64)
        near = np.hypot(*of_lidar.T) < REACH
        places = _in_odometry(of_lidar[near], frame.base_from_lidar, pose)
        colours = cones.colours.numpy()[near]
        measured = (cones.source.numpy()[near] & LIDAR_SOURCE) > 0
        old, new = self._matches(places)
        self._note_colours(old, colours[new])
        self._note_drift(old, places[new], measured[new])
        self._keep(old, new, places, colours)

    def _matches(self, places: Floats) -> tuple[Ints, Ints]:
        """Rows of tracks and of cones that are nearest to each other."""
        if not len(self._places) or not len(places):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        gaps = np.hypot(*(self._places[:, None] - places[None]).transpose(2, 0, 1))
        rows, columns = np.arange(len(gaps)), gaps.argmin(axis=1)
        kept = (gaps.argmin(axis=0)[columns] == rows) & (gaps[rows, columns] < GATE)
        return rows[kept], columns[kept]

    def _note_colours(self, old: Ints, colours: Floats) -> None:
        votes, seen = self._votes[old], colours.argmax(axis=1) if len(colours) else old
        known = (votes.max(axis=1, initial=0.0) >= KNOWN) & (seen != ConeClass.UNKNOWN)
        changed = known & (votes.argmax(axis=1) != seen) if len(votes) else known
        self._colour_counts.append((int(changed.sum()), int(known.sum())))

    def _note_drift(self, old: Ints, places: Floats, measured: npt.NDArray[np.bool_]) -> None:
        ways = self._way - self._ways[old]
        rows = (ways >= LEAST_WAY) & measured
        if rows.sum() >= LEAST_TRACKS:
            drifts = (places[rows] - self._anchors[old][rows]) / ways[rows][:, None]
            self._drifts.append(float(np.median(np.hypot(*drifts.T))))

    def _keep(self, old: Ints, new: Ints, places: Floats, colours: Floats) -> None:
        """Go on with the tracks that were seen, and those that begin."""
        is_new = np.ones(len(places), dtype=bool)
        is_new[new] = False
        rest = np.flatnonzero(is_new)
        votes = colours.copy()
        votes[:, ConeClass.UNKNOWN] = 0.0
        is_long = self._way - self._ways[old] > LONGEST_WAY
        anchors = np.where(is_long[:, None], places[new], self._anchors[old])
        ways = np.where(is_long, self._way, self._ways[old])
        together = np.minimum(self._votes[old] + votes[new], MOST_VOTES)
        self._places = np.vstack([places[new], places[rest]])
        self._anchors = np.vstack([anchors, places[rest]])
        self._ways = np.concatenate([ways, np.full(len(rest), self._way)])
        self._votes = np.vstack([together, votes[rest]])


def _in_odometry(positions: Floats, base_from_lidar: Floats, pose: Pose2) -> Floats:
    in_base = positions @ base_from_lidar[:2, :2].T + base_from_lidar[:2, 3]
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    found: Floats = in_base @ np.array([[cos, sin], [-sin, cos]]) + [pose.x, pose.y]
    return found
