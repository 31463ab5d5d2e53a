"""A short memory of cones, which carries the car over what a sensor misses for a moment."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from conegrad_core.geometry.odometry import Pose2
from conegrad_core.settings import Config, setting
from conegrad_simulation.driver.perceived_cones import SeenCones
from conegrad_simulation.planar import Floats

MIN_VARIANCE = 0.05**2  # [track units^2], no observation counts as more exact
GATE = 9.0  # squared distance in standard deviations within which two cones may be one
PRIOR = 0.5  # evidence against which colours are weighed: one look does not decide


@dataclass(frozen=True)
class MemoryConfig(Config):
    """Settings of the memory; lengths hold for a track of full size."""

    duration: float = setting(2.0, "A cone unseen this long is forgotten [s]", low=0.0, high=10.0)
    confirm: float = setting(
        0.3, "A cone seen only once is forgotten after this [s]", low=0.0, high=10.0
    )
    merge_distance: float = setting(
        1.0, "Farthest that one cone moves between two looks [m]", low=0.01, high=5.0
    )
    same_distance: float = setting(0.5, "Nearer cones are one cone [m]", low=0.0, high=5.0)
    behind: float = setting(6.0, "A cone farther behind is forgotten [m]", low=0.0, high=50.0)
    drift: float = setting(
        0.1, "Uncertainty that the odometry adds, std after a second [m]", low=0.0, high=5.0
    )


class KnownCones(NamedTuple):
    """What is remembered, in ``base_link``.

    Attributes:
        positions: ``(N, 2)`` [track units].
        sides: ``(N,)`` from -1, surely right, over 0, unknown, to 1, surely left.
    """

    positions: Floats
    sides: Floats


class ConeMemory:
    """Cones of the last moments in the frame of the odometry."""

    def __init__(self, config: MemoryConfig | None = None) -> None:
        self._config = config or MemoryConfig()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._positions = np.zeros((0, 2))
        self._covariances = np.zeros((0, 2, 2))
        self._colours = np.zeros((0, 3))
        self._hits = np.zeros(0)
        self._last = np.zeros(0)
        self._time = 0.0

    def add(self, seen: SeenCones, pose: Pose2, time: float) -> None:
        """Take the cones of a message.

        Args:
            seen: in the frame of the car.
            pose: ``odom_from_base`` at their stamp [track units, rad].
            time: their stamp [s]; one before the last means a new run.
        """
        if time < self._time:
            self.clear()
        growth = self._config.drift**2 * (time - self._time if len(self._last) else 0.0)
        self._time = time
        self._covariances = self._covariances + growth * np.eye(2)
        rotation = _rotation(pose.yaw)
        positions = seen.positions @ rotation.T + [pose.x, pose.y]
        covariances = rotation @ seen.covariances @ rotation.T + MIN_VARIANCE * np.eye(2)
        old, new = self._matches(positions, covariances)
        self._refresh(old, positions[new], covariances[new], seen.colours[new])
        rest = np.setdiff1d(np.arange(len(positions)), new)
        self._positions = np.vstack([self._positions, positions[rest]])
        self._covariances = np.concatenate([self._covariances, covariances[rest]])
        self._colours = np.vstack([self._colours, seen.colours[rest]])
        self._hits = np.concatenate([self._hits, np.ones(len(rest))])
        self._last = np.concatenate([self._last, np.full(len(rest), time)])
        self._forget(pose)

    def known(self, pose: Pose2) -> KnownCones:
        """What is remembered, in the frame of a car at a pose ``odom_from_base``."""
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

    def _forget(self, pose: Pose2) -> None:
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
