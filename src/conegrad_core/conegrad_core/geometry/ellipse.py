"""The ellipse that stands for a planar covariance."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Ellipse(NamedTuple):
    """Half axes [m], and the direction of the longer one [rad, counter-clockwise from x]."""

    major: float
    minor: float
    yaw: float


def ellipse_of(covariance: npt.NDArray[np.floating], deviations: float) -> Ellipse:
    """Ellipse at a number of standard deviations.

    Args:
        covariance: ``(2, 2)``, symmetric [m^2]; variances below 0 count as 0.
        deviations: standard deviations from the centre to the ellipse.
    """
    variances, axes = np.linalg.eigh(covariance.astype(np.float64))
    minor, major = (deviations * np.sqrt(variances.clip(min=0.0))).tolist()
    return Ellipse(major, minor, math.atan2(axes[1, 1], axes[0, 1]))
