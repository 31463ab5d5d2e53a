"""Positions and covariances of fused candidates."""

import torch
from torch import Tensor

from conegrad_core.fusion import packed_matrices as gaussians
from conegrad_core.fusion.association import Association
from conegrad_core.fusion.monocular import CameraCandidates
from conegrad_core.fusion.segments import LidarCandidates


def segment_positions(
    lidar: LidarCandidates, camera: CameraCandidates, association: Association
) -> tuple[Tensor, Tensor]:
    """Segments corrected by the boxes they match, by an information filter.

    Returns:
        ``(S, 2)`` positions [m] and ``(S, 3)`` packed covariances [m^2].
    """
    of_boxes = camera.information
    columns = torch.cat([of_boxes, gaussians.times(of_boxes, camera.positions)], dim=-1)
    gathered = association.matches @ columns
    covariances = gaussians.inverse(lidar.information + gathered[:, :3])
    pull = gathered[:, 3:] - gaussians.times(gathered[:, :3], lidar.positions)
    return lidar.positions + gaussians.times(covariances, pull), covariances


def box_positions(
    camera: CameraCandidates, association: Association, positions: Tensor, covariances: Tensor
) -> tuple[Tensor, Tensor]:
    """Boxes as mixtures of their own estimate and of the segments they match.

    A segment that its network rejects still gives the place of a box that matches it; the
    mixture's covariance holds the doubt.

    Args:
        camera: the boxes.
        association: their matches.
        positions: ``(S, 2)`` of the segments [m].
        covariances: ``(S, 3)`` of the segments, packed [m^2].

    Returns:
        ``(C, 2)`` positions [m] and ``(C, 3)`` packed covariances [m^2].

    Source:
        Bar-Shalom & Li, Multitarget-Multisensor Tracking, 1995 (probabilistic data association).
    """
    matched = association.matches.sum(0)
    alone = (1 - matched).clamp(min=0.0)
    total = (matched + alone)[:, None]
    weights = association.matches / total[:, 0]
    alone = alone[:, None] / total
    offsets = positions[:, None] - camera.positions  # (S, C, 2)
    shift = (weights[..., None] * offsets).sum(0)
    # About the mean of the mixture: a difference of squares would lose small covariances far away.
    spread = (weights[..., None] * gaussians.outer(offsets - shift)).sum(0)
    spread = spread + alone * gaussians.outer(shift)
    mixture = alone * camera.covariances + weights.mT @ covariances + spread
    return camera.positions + shift, mixture
