"""Cones and truth of one instant and frame, seen from another."""

import torch
from torch import Tensor

from conegrad_core.cones import Cones, TrueCones


def moved_truth(truth: TrueCones, target_from_source: Tensor) -> TrueCones:
    """Truth in another planar frame, by a ``(4, 4)`` transform."""
    return truth._replace(positions=moved_positions(truth.positions, target_from_source))


def moved_cones(cones: Cones, target_from_source: Tensor) -> Cones:
    """Cones in another planar frame, by a ``(4, 4)`` transform; covariances turn along."""
    turn = target_from_source[:2, :2].to(cones.covariances)
    return cones._replace(
        positions=moved_positions(cones.positions, target_from_source),
        covariances=turn @ cones.covariances @ turn.mT,
    )


def moved_positions(positions: Tensor, target_from_source: Tensor) -> Tensor:
    """``(N, 2)`` positions in another planar frame [m]; computed in float64."""
    turn, shift = target_from_source[:2, :2].double(), target_from_source[:2, 3].double()
    return (positions.double() @ turn.mT + shift).to(
        positions.dtype if len(positions) else torch.float32
    )
