"""How far the labels of a sequence lie from the returns of its clouds."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

# A cone has returns if enough of them stand on the ground near its label.
CONE_RADIUS = 0.4  # [m], half a cone and the labels' own error
GROUND_RADIUS = 1.5  # [m], where the ground around a cone is looked for
CONE_LOW, CONE_HIGH = 0.08, 0.7  # [m] above that ground
MIN_RETURNS = 2
FRONT = 0.05  # [m] from the returns on the front of a cone to its axis
NEAR, FAR = 2.5, 20.0  # [m], where cones have returns that tell their place
MIN_LABELS = 20  # of fewer the median says little
LABEL_ERROR = 0.08  # [m] where it cannot be measured; published: medians of 0.06 to 0.13 m
RAYLEIGH_MEDIAN = 1.1774  # of the distance, by the standard deviation of x and of y


class LabelledCloud(NamedTuple):
    """Labels of a frame, and its cloud, in one frame.

    Attributes:
        positions: ``(N, 2)`` of the labels [m].
        points: ``(P, 3)`` [m].
    """

    positions: Array
    points: Array


def returns_on(position: Array, points: Array) -> Array:
    """``(R, 2)`` returns that stand on the ground where a cone is labelled; none if too few.

    Args:
        position: ``(2,)`` x, y of the label [m].
        points: ``(N, 3)`` cloud [m].
    """
    near: Array = points[np.abs(points[:, :2] - position).max(axis=1) < GROUND_RADIUS]
    if len(near) < MIN_RETURNS:
        return np.zeros((0, 2))
    is_cone = np.linalg.norm(near[:, :2] - position, axis=1) < CONE_RADIUS
    height = near[is_cone, 2] - np.percentile(near[:, 2], 5)
    found: Array = near[is_cone, :2][(height > CONE_LOW) & (height < CONE_HIGH)]
    return found if len(found) >= MIN_RETURNS else np.zeros((0, 2))


def measured_label_error(clouds: Iterable[LabelledCloud]) -> float:
    """Standard deviation of x and of y of labels [m], by the returns that stand where they are.

    Of each cone with returns from :data:`NEAR` to :data:`FAR` the distance of its label from the
    median of the returns, moved by :data:`FRONT` along the ray. The median over all of them is that
    of a Rayleigh distribution. Nothing of the perception takes part.

    Args:
        clouds: of the sequence, or of some of its frames.

    Returns:
        The deviation; :data:`LABEL_ERROR` where fewer than :data:`MIN_LABELS` cones have returns,
        which is reported.
    """
    distances = []
    for positions, points in clouds:
        ranges = np.hypot(*positions.T) if len(positions) else np.zeros(0)
        for position in positions[(ranges >= NEAR) & (ranges <= FAR)]:
            found = returns_on(position, points)
            if len(found):
                middle = np.median(found, axis=0)
                axis = middle * (1 + FRONT / np.linalg.norm(middle))
                distances.append(float(np.linalg.norm(axis - position)))
    if len(distances) < MIN_LABELS:
        logger.warning(
            "%d labels have returns, expected %d to measure how exact labels are: a standard "
            "deviation of %g m is taken; give --label-error if it is another",
            len(distances),
            MIN_LABELS,
            LABEL_ERROR,
        )
        return LABEL_ERROR
    median = float(np.median(distances))
    deviation = median / RAYLEIGH_MEDIAN
    logger.info(
        "%d labels lie %.3f m from their returns at the median: the standard deviation of their "
        "x and y is taken as %.3f m",
        len(distances),
        median,
        deviation,
    )
    return deviation
