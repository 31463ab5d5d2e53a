"""Short-term memory of cones, which bridges missing detections."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from conegrad_core.cone_tracks import ConeTracks, TrackConfig
from conegrad_core.geometry.odometry import Pose2
from conegrad_core.settings import setting
from conegrad_simulation.driver.perceived_cones import PerceivedCones
from conegrad_simulation.planar import Floats

PRIOR = 0.5  # evidence of an unknown side, so that one message does not decide


@dataclass(frozen=True)
class MemoryConfig(TrackConfig):
    """Settings of the memory; lengths hold for a track of full size."""

    same_distance: float = setting(0.5, "Cones nearer than this are merged [m]", low=0.0, high=5.0)
    behind: float = setting(6.0, "A cone farther behind the car is removed [m]", low=0.0, high=50.0)


class KnownCones(NamedTuple):
    """Remembered cones, in ``base_link``.

    Attributes:
        positions: ``(N, 2)`` [track units].
        sides: ``(N,)`` from -1, certainly right, over 0, unknown, to 1, certainly left.
    """

    positions: Floats
    sides: Floats


class ConeMemory:
    """Cones of the last messages, tracked in the frame of the odometry, with their colours.

    Args:
        config: settings; None takes the defaults.
    """

    def __init__(self, config: MemoryConfig | None = None) -> None:
        self._config = config or MemoryConfig()
        self._tracks = ConeTracks(self._config)
        self._colours: dict[int, Floats] = {}  # by identity

    def clear(self) -> None:
        """Remove all cones."""
        self._tracks.clear()
        self._colours = {}

    def add(self, perceived: PerceivedCones, pose: Pose2, time: float) -> None:
        """Add the cones of a message.

        Args:
            perceived: in ``base_link`` [track units].
            pose: ``odom_from_base`` at their stamp [track units, rad].
            time: their stamp [s]; an earlier one than the last starts a new run.
        """
        ids = self._tracks.add(perceived.positions, perceived.covariances, pose, time)
        self._tracks.keep(self._tracks.in_base(pose)[:, 0] > -self._config.behind)
        for cone, colours in zip(ids.tolist(), perceived.colours, strict=True):
            self._colours[cone] = self._colours.get(cone, np.zeros(3)) + colours
        self._colours = {cone: self._colours[cone] for cone in self._tracks.ids.tolist()}

    def known(self, pose: Pose2) -> KnownCones:
        """Remembered cones in ``base_link`` at a pose ``odom_from_base`` [track units, rad]."""
        colours = [self._colours[cone] for cone in self._tracks.ids.tolist()]
        left, right, either = np.array(colours).reshape(-1, 3).T
        sides = (left - right) / (left + right + either + PRIOR)
        return KnownCones(self._tracks.in_base(pose), sides)
