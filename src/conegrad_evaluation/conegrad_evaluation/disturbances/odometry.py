"""Disturbances of the odometry, which says how the car moved between image and scan."""

import numpy as np
from torch import Tensor

from conegrad_core.geometry.transforms import pose_matrix
from conegrad_evaluation.disturbances.disturbance import MOTION, Disturbance, Parameters


def _lost(_motion: Tensor | None, _parameters: Parameters, _draws: np.random.Generator) -> None:
    """No odometry: motion is not compensated."""


def _slip(motion: Tensor | None, parameters: Parameters, _: np.random.Generator) -> Tensor | None:
    """A distance that is too long by a share, as of wheels that slip."""
    if motion is None:
        return None
    matrix = pose_matrix(*motion.unbind()) if motion.shape == (3,) else motion.clone()
    matrix[:2, 3] *= 1.0 + parameters["share"]
    return matrix


LOST = Disturbance("odometry_lost", MOTION, "odometry lost", [{}], _lost)
SLIP = Disturbance(
    "odometry_slip", MOTION, "wheels slip: share by which the distance is too long",
    [{"share": 0.1}, {"share": 0.3}, {"share": 1.0}], _slip,
)  # fmt: skip
