"""Near cones with the colour of the other side of the track."""

from collections import deque

import numpy as np

from conegrad_core.cones import ConeClass
from conegrad_core.consistency.frame import ObservedFrame

BEHIND, AHEAD = 2.0, 5.0  # [m] of the rear axle, within which the side of a cone is certain
NEAREST, FARTHEST = 0.5, 3.0  # [m] beside the car
CERTAIN = 0.6  # probability of a colour
LEAST_CONES = 8  # in the window


class Sides:
    """Blue cones are left of the car, yellow ones right.

    Args:
        window: frames that the share is taken over.
    """

    def __init__(self, window: int) -> None:
        self._counts: deque[tuple[int, int]] = deque(maxlen=window)  # wrong, all

    @property
    def wrong(self) -> float:
        """Share of near cones with the colour of the other side; 0 if there are few."""
        wrong, count = (sum(column) for column in zip(*self._counts, strict=True))
        return wrong / count if count >= LEAST_CONES else 0.0

    def observe(self, frame: ObservedFrame) -> None:
        """Take the cones of the next frame."""
        positions = frame.cones.positions.numpy().astype(np.float64)
        mounting = frame.base_from_lidar
        x, y = (positions @ mounting[:2, :2].T + mounting[:2, 3]).T
        colours = frame.cones.colours.numpy()
        is_beside = (x > -BEHIND) & (x < AHEAD) & (np.abs(y) > NEAREST) & (np.abs(y) < FARTHEST)
        blue = is_beside & (colours[:, ConeClass.BLUE] > CERTAIN)
        yellow = is_beside & (colours[:, ConeClass.YELLOW] > CERTAIN)
        wrong = (blue & (y < 0)) | (yellow & (y > 0))
        self._counts.append((int(wrong.sum()), int((blue | yellow).sum())))
