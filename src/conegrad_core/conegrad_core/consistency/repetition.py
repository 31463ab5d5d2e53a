"""A sensor that sends the same again while the car moves."""

import math

import numpy as np
import numpy.typing as npt

from conegrad_core.geometry.odometry import Pose2

LEAST_WAY = 0.03  # [m] that a car moves before its sensors have to see something else


class Repetition:
    """Compares what a sensor measured with what it measured before.

    Two measurements of a sensor with noise are never equal in every bit.

    Attributes:
        way: how far the car moved while the content stayed the same [m]; 0 while it changes.
    """

    def __init__(self) -> None:
        self._content: npt.NDArray[np.float32] | None = None
        self._stamp_ns: int | None = None
        self._pose: Pose2 | None = None
        self.way = 0.0

    @property
    def is_frozen(self) -> bool:
        """Whether the same came again although the car moved."""
        return self.way > LEAST_WAY

    def observe(self, stamp_ns: int, content: npt.NDArray[np.float32], pose: Pose2 | None) -> None:
        """Take the next measurement.

        Args:
            stamp_ns: of the message; that of the one before is the same message [ns].
            content: numbers of it; none of them says nothing.
            pose: ``odom_from_base``; None without odometry.
        """
        if stamp_ns == self._stamp_ns:
            return
        self._stamp_ns = stamp_ns
        is_same = (
            self._content is not None
            and content.size > 0
            and np.array_equal(content, self._content, equal_nan=True)
        )
        if not is_same:
            self._content, self._pose, self.way = content, pose, 0.0
        elif pose is not None and self._pose is not None:
            self.way = math.hypot(pose.x - self._pose.x, pose.y - self._pose.y)
