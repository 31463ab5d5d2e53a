"""Cones over frames: carried by odometry and matched, so that each keeps its identity."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.settings import Config, setting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIN_VARIANCE = 0.05**2  # [m^2], least variance of an observation
GATE = 9.0  # squared Mahalanobis distance within which two cones can match
APART = 1e3  # [m], cost of a match that cannot be
LAST_ID = 2**32 - 1  # of a message; the next one is 1 again


@dataclass(frozen=True)
class TrackConfig(Config):
    """How cones are followed from frame to frame."""

    duration: float = setting(
        2.0, "A cone without a detection for this long is given up [s]", low=0.0, high=10.0
    )
    confirm: float = setting(
        0.3, "A cone with one detection only is given up after this [s]", low=0.0, high=10.0
    )
    merge_distance: float = setting(
        1.0, "Largest distance between two detections of one cone [m]", low=0.01, high=5.0
    )
    same_distance: float = setting(
        0.3, "Cones nearer than this are one, whatever their covariances [m]", low=0.0, high=5.0
    )
    drift: float = setting(
        0.1, "Uncertainty of the odometry, std after a second [m]", low=0.0, high=5.0
    )


class ConeTracks:
    """Cones of the last frames in the frame of the odometry, one row per track.

    An observation is matched to the track at its place: by linear assignment over the distances,
    among those within the gate of both covariances. What matches no track begins one. The positions
    held are filtered; they serve the matching.

    Args:
        config: settings; None takes the defaults.

    Attributes:
        positions: ``(N, 2)`` in the frame of the odometry [m].
        ids: ``(N,)`` identities, above 0 and never given twice.
    """

    def __init__(self, config: TrackConfig | None = None) -> None:
        self._config = config or TrackConfig()
        self._next = 1
        self.clear()

    def clear(self) -> None:
        """Give all tracks up; identities go on."""
        self.positions: Floats = np.zeros((0, 2))
        self.ids: Ints = np.zeros(0, dtype=np.int64)
        self._covariances: Floats = np.zeros((0, 2, 2))
        self._hits: Ints = np.zeros(0, dtype=np.int64)
        self._last: Floats = np.zeros(0)
        self._time = 0.0

    def add(self, positions: Floats, covariances: Floats, pose: Pose2, time: float) -> Ints:
        """Add the cones of a frame.

        Args:
            positions: ``(M, 2)`` in the frame of the base [m].
            covariances: ``(M, 2, 2)`` likewise [m^2].
            pose: ``odom_from_base`` at their stamp [m, rad].
            time: their stamp [s]; an earlier one than the last starts a new run.

        Returns:
            ``(M,)`` identities.
        """
        if time < self._time:
            self.clear()
        growth = self._config.drift**2 * (time - self._time if len(self.ids) else 0.0)
        self._time = time
        self.keep(time - self._last <= self._config.duration)
        self._covariances = self._covariances + growth * np.eye(2)
        rotation = _rotation(pose.yaw)
        positions = positions @ rotation.T + [pose.x, pose.y]
        covariances = rotation @ covariances @ rotation.T + MIN_VARIANCE * np.eye(2)
        old, new = self._matches(positions, covariances)
        self._refresh(old, positions[new], covariances[new])
        rest = np.setdiff1d(np.arange(len(positions)), new)
        ids = np.zeros(len(positions), dtype=np.int64)
        ids[new], ids[rest] = self.ids[old], self._new_ids(len(rest))
        self.positions = np.concatenate([self.positions, positions[rest]])
        self.ids = np.concatenate([self.ids, ids[rest]])
        self._covariances = np.concatenate([self._covariances, covariances[rest]])
        self._hits = np.concatenate([self._hits, np.ones(len(rest), dtype=np.int64)])
        self._last = np.concatenate([self._last, np.full(len(rest), time)])
        self._prune()
        return ids

    def in_base(self, pose: Pose2) -> Floats:
        """Positions ``(N, 2)`` in the frame of the base at a pose ``odom_from_base`` [m]."""
        in_base: Floats = (self.positions - [pose.x, pose.y]) @ _rotation(pose.yaw)
        return in_base

    def keep(self, kept: npt.NDArray[np.bool_]) -> None:
        """Give all tracks up but those of an ``(N,)`` mask."""
        self.positions, self.ids = self.positions[kept], self.ids[kept]
        self._covariances, self._hits = self._covariances[kept], self._hits[kept]
        self._last = self._last[kept]

    def _matches(self, positions: Floats, covariances: Floats) -> tuple[Ints, Ints]:
        """Rows of the tracks and rows of the observation that are the same cones."""
        offsets = self.positions[:, None] - positions[None]
        total = self._covariances[:, None] + covariances[None]
        squared = np.einsum("mni,mnij,mnj->mn", offsets, np.linalg.inv(total), offsets)
        distances = np.linalg.norm(offsets, axis=2)
        is_near = (distances < self._config.same_distance) | (
            (squared < GATE) & (distances < self._config.merge_distance)
        )
        old, new = linear_sum_assignment(np.where(is_near, distances, APART))
        matched = is_near[old, new]
        return old[matched], new[matched]

    def _refresh(self, rows: Ints, positions: Floats, covariances: Floats) -> None:
        before = self._covariances[rows]
        gain = before @ np.linalg.inv(before + covariances)
        innovation = positions - self.positions[rows]
        self.positions[rows] += np.einsum("nij,nj->ni", gain, innovation)
        self._covariances[rows] = before - gain @ before
        self._hits[rows] += 1
        self._last[rows] = self._time

    def _new_ids(self, count: int) -> Ints:
        ids = (np.arange(count) + (self._next - 1)) % LAST_ID + 1
        self._next = (self._next + count - 1) % LAST_ID + 1
        return ids

    def _prune(self) -> None:
        config, age = self._config, self._time - self._last
        kept = (age <= config.duration) & ((self._hits > 1) | (age <= config.confirm))
        gaps = np.linalg.norm(self.positions[:, None] - self.positions[None], axis=2)
        rank = self._hits + 1e-3 * np.arange(len(gaps))[::-1]
        is_better = rank[None] > rank[:, None]
        kept &= ~((gaps < config.same_distance) & is_better).any(axis=1)
        self.keep(kept)


def _rotation(yaw: float) -> Floats:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin], [sin, cos]])
