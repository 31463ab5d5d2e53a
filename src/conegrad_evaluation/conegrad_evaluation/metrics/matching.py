"""Match of fused cones to true cones in one frame."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.config import MIN_EXISTENCE
from conegrad_core.settings import Config, setting
from conegrad_core.shapes import check_shape

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

UNMATCHED = -1


@dataclass(frozen=True)
class EvaluationConfig(Config):
    """Settings of the metrics."""

    match_distance: float = setting(0.5, "Largest distance of a cone from its truth [m]", low=1e-6)
    max_range: float = setting(math.inf, "Truth beyond this range is ignored [m]", low=0.1)
    min_existence: float = setting(
        MIN_EXISTENCE, "Lowest existence probability that counts as a cone", low=0.0, high=1.0
    )
    truth_deviation: float = setting(
        0.0, "Standard deviation of the truth's x and y where it states none [m]", low=0.0
    )
    bootstrap_samples: int = setting(1000, "Resamples of the confidence interval", low=1)
    bootstrap_block: int = setting(
        1, "Consecutive frames drawn together: neighbours see the same cones", low=1
    )


@dataclass(frozen=True)
class FrameResult:
    """Cones and truth of one frame, with their matches.

    Truth *counts* where it is in range and at least one sensor could see it; the rest is
    ignored: neither a miss nor a hit. A cone is ignored where it belongs to ignored truth, or to
    no truth and is beyond the range or within the match distance of ignored truth.

    Attributes:
        positions: ``(P, 2)`` x forward, y left [m] of the cones, as in ``Cones``.
        covariances: ``(P, 2, 2)`` [m^2].
        colours: ``(P,)`` most probable :class:`~conegrad_core.cones.ConeClass`.
        existence: ``(P,)`` probability.
        sources: ``(P,)`` 1 camera, 2 LiDAR, 3 both.
        matches: ``(P,)`` row of the matched counted truth, or :data:`UNMATCHED`.
        ignored: ``(P,)`` the cone counts neither as right nor as wrong.
        truth_positions: ``(T, 2)`` [m].
        truth_classes: ``(T,)``.
        visible_camera: ``(T,)``.
        visible_lidar: ``(T,)``.
        counted: ``(T,)`` the truth has to be found.
        truth_variances: ``(T,)`` of x and of y of the truth [m^2].
    """

    positions: Floats
    covariances: Floats
    colours: Integers
    existence: Floats
    sources: Integers
    matches: Integers
    ignored: Booleans
    truth_positions: Floats
    truth_classes: Integers
    visible_camera: Booleans
    visible_lidar: Booleans
    counted: Booleans
    truth_variances: Floats


def match_frame(cones: Cones, truth: TrueCones, config: EvaluationConfig) -> FrameResult:
    """Match greedily: in descending existence, each cone is matched to the nearest free truth.

    Ignored truth takes part, so that the cone of a hidden truth is not matched to a neighbour.

    All cones are matched, at any existence. The order is descending, so the matches of the cones
    above any threshold do not depend on those below: one matching serves the operating point and
    the whole precision-recall curve. The order of the rows does not matter: cones of equal
    existence are ordered by position.

    Raises:
        ValueError: if a tensor has another shape, or a position or logit is not finite.
    """
    _check(cones, truth)
    positions, truth_positions = _floats(cones.positions), _floats(truth.positions)
    existence = 1.0 / (1.0 + np.exp(-np.clip(_floats(cones.existence_logits), -60.0, 60.0)))
    visible_camera, visible_lidar = _booleans(truth.visible_camera), _booleans(truth.visible_lidar)
    in_range = np.hypot(*truth_positions.T) <= config.max_range
    counted = in_range & (visible_camera | visible_lidar)
    near = _distances(positions, truth_positions)
    matches = _greedy(near, _order(existence, positions), config.match_distance)
    matches[~np.append(counted, True)[matches]] = UNMATCHED
    beyond = np.hypot(*positions.T) > config.max_range
    beside_ignored = (near[:, ~counted] <= config.match_distance).any(axis=1)
    return FrameResult(
        positions=positions,
        covariances=_floats(cones.covariances),
        colours=_integers(cones.colours.argmax(-1)) if len(positions) else np.zeros(0, np.int64),
        existence=existence,
        sources=_integers(cones.source),
        matches=matches,
        ignored=(matches == UNMATCHED) & (beyond | beside_ignored),
        truth_positions=truth_positions,
        truth_classes=_integers(truth.classes),
        visible_camera=visible_camera,
        visible_lidar=visible_lidar,
        counted=counted,
        truth_variances=_floats(truth.variances(config.truth_deviation)),
    )


def _check(cones: Cones, truth: TrueCones) -> None:
    check_shape(cones.positions, None, 2, name="cones.positions")
    check_shape(cones.covariances, len(cones.positions), 2, 2, name="cones.covariances")
    check_shape(cones.colours, len(cones.positions), 5, name="cones.colours")
    check_shape(cones.existence_logits, len(cones.positions), name="cones.existence_logits")
    check_shape(cones.source, len(cones.positions), name="cones.source")
    check_shape(truth.positions, None, 2, name="truth.positions")
    for name in ("classes", "visible_camera", "visible_lidar"):
        check_shape(getattr(truth, name), len(truth.positions), name=f"truth.{name}")
    check_shape(truth.variances(), len(truth.positions), name="truth.deviations")
    for name, tensor in (
        ("cones.positions", cones.positions),
        ("cones.existence_logits", cones.existence_logits),
        ("truth.positions", truth.positions),
    ):
        # A logit may be infinite (probability 0 or 1), but not NaN.
        if bool(tensor.isnan().any()):
            raise ValueError(f"{name} contains NaN, expected numbers")


def _floats(tensor: Tensor) -> Floats:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _integers(tensor: Tensor) -> Integers:
    return tensor.detach().cpu().numpy().astype(np.int64)


def _booleans(tensor: Tensor) -> Booleans:
    return tensor.detach().cpu().numpy().astype(np.bool_)


def _distances(positions: Floats, truth_positions: Floats) -> Floats:
    difference = positions[:, None] - truth_positions[None]
    distances: Floats = np.hypot(difference[..., 0], difference[..., 1])
    return distances


def _order(existence: Floats, positions: Floats) -> Integers:
    return np.lexsort((positions[:, 1], positions[:, 0], -existence)).astype(np.int64)


def _greedy(distances: Floats, order: Integers, gate: float) -> Integers:
    """Column matched to each row, or UNMATCHED."""
    matches = np.full(len(distances), UNMATCHED, dtype=np.int64)
    if distances.size == 0:
        return matches
    free = np.where(distances <= gate, distances, np.inf)
    for row in order[np.isfinite(free.min(axis=1))[order]]:
        column = int(free[row].argmin())
        if np.isfinite(free[row, column]):
            matches[row] = column
            free[:, column] = np.inf
    return matches
