"""Short-term memory of cones, which bridges missing detections."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.settings import Config, setting
from conegrad_simulation.driver.perceived_cones import PerceivedCones
from conegrad_simulation.planar import Floats

MIN_VARIANCE = 0.05**2  # [track units^2], least variance of an observation
GATE = 9.0  # squared Mahalanobis distance within which two cones can match
PRIOR = 0.5  # evidence of an unknown side, so that one message does not decide


@dataclass(frozen=True)
class MemoryConfig(Config):
    """Settings of the memory; lengths hold for a track of full size."""

    duration: float = setting(
        2.0, "A cone without a detection for this long is removed [s]", low=0.0, high=10.0
    )
    confirm: float = setting(
        0.3, "A cone with one detection only is removed after this [s]", low=0.0, high=10.0
    )
    merge_distance: float = setting(
        1.0, "Largest distance between two detections of one cone [m]", low=0.01, high=5.0
    )
    same_distance: float = setting(0.5, "Cones nearer than this are merged [m]", low=0.0, high=5.0)
    behind: float = setting(6.0, "A cone farther behind the car is removed [m]", low=0.0, high=50.0)
    drift: float = setting(
        0.1, "Uncertainty of the odometry, std after a second [m]", low=0.0, high=5.0
    )


class KnownCones(NamedTuple):
    """Remembered cones, in ``base_link``.

    Attributes:
        positions: ``(N, 2)`` [track units].
        sides: ``(N,)`` from -1, certainly right, over 0, unknown, to 1, certainly left.
    """

    positions: Floats
    sides: Floats


class ConeMemory:
    """Cones of the last messages, tracked in the frame of the odometry.

    Args:
        config: settings; None takes the defaults.
    """

    def __init__(self, config: MemoryConfig | None = None) -> None:
        self._config = config or MemoryConfig()
        self.clear()

    def clear(self) -> None:
        """Remove all cones."""
        self._positions = np.zeros((0, 2))
        self._covariances = np.zeros((0, 2, 2))
        self._colours = np.zeros((0, 3))
        self._hits = np.zeros(0)
        self._last = np.zeros(0)
        self._time = 0.0

    def add(self, perceived: PerceivedCones, pose: Pose2, time: float) -> None:
        """Add the cones of a message.

        Args:
            perceived: in ``base_link`` [track units].
            pose: ``odom_from_base`` at their stamp [track units, rad].
            time: their stamp [s]; an earlier one than the last starts a new run.
        """
        if time < self._time:
            self.clear()
        growth = self._config.drift**2 * (time - self._time if len(self._last) else 0.0)
        self._time = time
        self._covariances = self._covariances + growth * np.eye(2)
        rotation = _rotation(pose.yaw)
        positions = perceived.positions @ rotation.T + [pose.x, pose.y]
        covariances = rotation @ perceived.covariances @ rotation.T + MIN_VARIANCE * np.eye(2)
        old, new = self._matches(positions, covariances)
        self._refresh(old, positions[new], covariances[new], perceived.colours[new])
        rest = np.setdiff1d(np.arange(len(positions)), new)
        self._positions = np.vstack([self._positions, positions[rest]])
        self._covariances = np.concatenate([self._covariances, covariances[rest]])
        self._colours = np.vstack([self._colours, perceived.colours[rest]])
        self._hits = np.concatenate([self._hits, np.ones(len(rest))])
        self._last = np.concatenate([self._last, np.full(len(rest), time)])
        self._prune(pose)

    def known(self, pose: Pose2) -> KnownCones:
        """Remembered cones in ``base_link`` at a pose ``odom_from_base`` [track units, rad]."""
        in_base = (self._positions - [pose.x, pose.y]) @ _rotation(pose.yaw)
        left, right, either = self._colours.T
        return KnownCones(in_base, (left - right) / (left + right + either + PRIOR))

    def _matches(self, positions: Floats, covariances: Floats) -> tuple[Floats, Floats]:
        """Rows of the memory and rows of the observation that are the same cones."""
        offsets = self._positions[:, None] - positions[None]
        total = self._covariances[:, None] + covariances[None]
        squared = np.einsum("mni,mnij,mnj->mn", offsets, np.linalg.inv(total), offsets)
        distances = np.linalg.norm(offsets, axis=2)
        is_near = (distances < self._config.same_distance) | (
            (squared < GATE) & (distances < self._config.merge_distance)
        )
        old, new = linear_sum_assignment(np.where(is_near, distances, 1e3))
        kept = is_near[old, new]
        return old[kept], new[kept]

    def _refresh(
        self, rows: Floats, positions: Floats, covariances: Floats, colours: Floats
    ) -> None:
        before = self._covariances[rows]
        gain = before @ np.linalg.inv(before + covariances)
        innovation = positions - self._positions[rows]
        self._positions[rows] += np.einsum("nij,nj->ni", gain, innovation)
        self._covariances[rows] = before - gain @ before
        self._colours[rows] += colours
        self._hits[rows] += 1
        self._last[rows] = self._time

    def _prune(self, pose: Pose2) -> None:
        config, age = self._config, self._time - self._last
        in_base = (self._positions - [pose.x, pose.y]) @ _rotation(pose.yaw)
        keep = (age <= config.duration) & ((self._hits > 1) | (age <= config.confirm))
        keep &= in_base[:, 0] > -config.behind
        gaps = np.linalg.norm(self._positions[:, None] - self._positions[None], axis=2)
        is_better = self._hits[None] + 1e-3 * np.arange(len(gaps))[::-1][None] > (
            self._hits[:, None] + 1e-3 * np.arange(len(gaps))[::-1][:, None]
        )
        keep &= ~((gaps < config.same_distance) & is_better).any(axis=1)
        self._positions, self._covariances = self._positions[keep], self._covariances[keep]
        self._colours, self._hits = self._colours[keep], self._hits[keep]
        self._last = self._last[keep]


def _rotation(yaw: float) -> Floats:
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.array([[cos, -sin], [sin, cos]])
