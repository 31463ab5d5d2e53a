"""Labels of clouds as people make them: by a map that does not lie exactly on the returns."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from conegrad_simulation.lidar.clouds.cloud_sampler import CloudFrame
from conegrad_simulation.planar import Bools


@dataclass(frozen=True)
class LabelErrors:
    """Errors of the labels of a cloud.

    Attributes:
        frame_std: error of the pose of a frame, which moves all labels [m].
        cone_std: error of each cone on top of it [m].
        radius: returns within it of a label's axis count as cone [m].
        low: returns below this height above the ground do not [m].
        high: returns above it do not, either [m].
        missing: probability that a cone has no label.
    """

    frame_std: float = 0.07
    cone_std: float = 0.04
    radius: float = 0.25
    low: float = 0.03
    high: float = 0.6
    missing: float = 0.03


def imprecise_labels(frame: CloudFrame, errors: LabelErrors, rng: np.random.Generator) -> Bools:
    """``(N,)`` mask of the returns that a label of a cone covers.

    Args:
        frame: with the true cones.
        errors: of the labels.
        rng: source of every draw.
    """
    points = frame.cloud.points
    heights = points @ frame.ground_normal + frame.sensor_height
    named = frame.cone_positions[rng.random(len(frame.cone_positions)) >= errors.missing, :2]
    if not len(named) or not len(points):
        return np.zeros(len(points), dtype=bool)
    shift = rng.normal(0, errors.frame_std, 2) + rng.normal(0, errors.cone_std, named.shape)
    distance, _ = cKDTree(named + shift).query(points[:, :2], distance_upper_bound=errors.radius)
    inside = (heights > errors.low) & (heights < errors.high) & np.isfinite(distance)
    return np.asarray(inside)
