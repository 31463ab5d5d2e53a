"""Position errors of matched cones."""

from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.matching import Booleans, Floats
from conegrad_evaluation.metrics.records import Records


@dataclass(frozen=True)
class PositionError:
    """Errors of matched cones, cone minus truth; NaN without a match.

    Attributes:
        count: matched cones.
        rmse: root of the mean squared distance [m].
        median: median distance [m].
        p95: 95th percentile of the distance [m].
        bias_x: mean error forward [m].
        bias_y: mean error to the left [m].
        bias_radial: mean error along the ray to the truth [m].
        bias_tangential: mean error across the ray, counter-clockwise [m].
        rmse_radial: root mean square along the ray [m].
        rmse_tangential: root mean square across the ray [m].
    """

    count: int
    rmse: float
    median: float
    p95: float
    bias_x: float
    bias_y: float
    bias_radial: float
    bias_tangential: float
    rmse_radial: float
    rmse_tangential: float


def position_error(errors: Floats, truth_positions: Floats) -> PositionError:
    """Summarise ``(N, 2)`` errors [m] of cones with truth at ``(N, 2)`` [m]."""
    if not len(errors):
        return PositionError(0, *[float("nan")] * 9)
    distances = np.hypot(*errors.T)
    radial, tangential = along_and_across(errors, truth_positions)
    bias_x, bias_y = errors.mean(axis=0)
    return PositionError(
        count=len(errors),
        rmse=_root_mean_square(distances),
        median=float(np.median(distances)),
        p95=float(np.percentile(distances, 95)),
        bias_x=float(bias_x),
        bias_y=float(bias_y),
        bias_radial=float(radial.mean()),
        bias_tangential=float(tangential.mean()),
        rmse_radial=_root_mean_square(radial),
        rmse_tangential=_root_mean_square(tangential),
    )


def along_and_across(errors: Floats, truth_positions: Floats) -> tuple[Floats, Floats]:
    """Parts of each error along and across (counter-clockwise) the ray to its truth [m]."""
    angles = np.arctan2(truth_positions[:, 1], truth_positions[:, 0])
    cosine, sine = np.cos(angles), np.sin(angles)
    radial = errors[:, 0] * cosine + errors[:, 1] * sine
    return radial, errors[:, 1] * cosine - errors[:, 0] * sine


def matched_errors(records: Records, mask: Booleans | None = None) -> tuple[Floats, Floats]:
    """Errors and truth positions, both ``(N, 2)`` [m], of the cones at the operating point."""
    selected = records.cones.selected & records.cones.is_match
    selected = selected if mask is None else selected & mask
    truth_positions = records.truth.positions[records.cones.truth[selected]]
    return records.cones.positions[selected] - truth_positions, truth_positions


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
