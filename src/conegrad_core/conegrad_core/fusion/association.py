"""Which segment and which box are the same cone: optimal transport with a way out."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.fusion.scalars import ScalarValues
from conegrad_core.fusion.segments import LidarCandidates

MIN_DISTANCE = 0.3  # [m], nearer to the camera than this an object has no useful angles
SMALL_CONE = 0.325  # [m], height that sets the scale of the tolerances
MAX_SCORE = 30.0  # log scores beyond it are as good as certain, and their exponentials finite


class Association(NamedTuple):
    """Soft matches; rows and the rest of each row sum to 1.

    Attributes:
        matches: ``(S, C)`` probability that segment and box are the same cone.
        unmatched: ``(S,)`` probability that a segment has no box.
    """

    matches: Tensor
    unmatched: Tensor


def associate(
    lidar: LidarCandidates, camera: CameraCandidates, scalars: ScalarValues, rounds: int
) -> Association:
    """Soft one-to-one matches of segments and boxes.

    Gradients flow to both, also through the scores of candidates their network rejects: the
    prior of a candidate has a floor, so that one sensor can confirm what the other denies.
    """
    scores = match_scores(lidar, camera, scalars)
    scores = scores + _log_prior(lidar.log_odds, scalars.prior_floor)[:, None]
    scores = scores + _log_prior(camera.evidence, scalars.prior_floor)
    return transport(scores, scalars.unmatched_segment, scalars.unmatched_box, rounds)


def match_scores(lidar: LidarCandidates, camera: CameraCandidates, scalars: ScalarValues) -> Tensor:
    """Log likelihood ``(S, C)`` of column, foot row and log height of each box at each segment."""
    offset = lidar.positions - camera.origin
    distance: Tensor = offset.norm(dim=-1, keepdim=True)
    direction = offset / distance
    distance = distance.clamp(min=MIN_DISTANCE)
    front = 1 / (distance - scalars.base_radius).clamp(min=0.5 * MIN_DISTANCE)
    axis = 1 / distance
    foot = camera.camera_height * front
    rise = foot - camera.camera_height * axis
    height = rise + camera.cone_height * axis  # (S, C): the class decides the expected height
    scale = rise + SMALL_CONE * axis
    chord = direction[:, None] - camera.directions
    slack = camera.slack * camera.slack
    column_noise = scalars.column_tolerance * scale + scalars.column_match * camera.pixel
    foot_noise = scalars.foot_tolerance * scale + scalars.foot_match * camera.pixel
    foot_noise = foot_noise * foot_noise + scalars.pitch_match**2 + slack[:, 1]
    total = (chord * chord).sum(-1) / (column_noise * column_noise + slack[:, 0])
    total = total + (foot - camera.foot) ** 2 / foot_noise
    ratio = (camera.height / height.clamp(min=1e-4)).log()
    total = total + ratio * ratio / (scalars.height_tolerance**2 + slack[:, 2])
    return -0.5 * total


def transport(
    scores: Tensor, unmatched_row: Tensor, unmatched_column: Tensor, rounds: int
) -> Association:
    """Sinkhorn iterations with a dustbin for each side.

    Every row sums to 1 with its dustbin, every column (up to convergence) with its own. The
    dustbins keep all sums away from 0, so that no logarithms are needed in the rounds.

    Args:
        scores: ``(S, C)`` log likelihoods, cut at :data:`MAX_SCORE`.
        unmatched_row: log score of a row for its dustbin.
        unmatched_column: log score of a column for its dustbin.
        rounds: of row and column normalisation; rows come last.

    Source:
        Cuturi, Sinkhorn Distances, NeurIPS 2013; Sarlin et al., SuperGlue, CVPR 2020 (dustbins).
    """
    weights = scores.clamp(max=MAX_SCORE).exp()
    free_row = unmatched_row.clamp(min=-MAX_SCORE).exp()
    free_column = unmatched_column.clamp(min=-MAX_SCORE).exp()
    row = 1 / (weights.sum(1) + free_row)
    column = torch.ones_like(scores[:1].sum(0))
    for _ in range(rounds - 1):
        column = 1 / (row @ weights + free_column)
        row = 1 / (weights @ column + free_row)
    return Association(weights * row[:, None] * column, free_row * row)


def _log_prior(log_odds: Tensor, floor: Tensor) -> Tensor:
    """``log((1 - floor) sigmoid(log_odds) + floor)`` without losing gradients."""
    return torch.logaddexp(logsigmoid(log_odds) + torch.log1p(-floor), floor.log())
