"""Symmetric 2x2 matrices packed as (xx, xy, yy): covariances and information in closed form."""

import torch
from torch import Tensor

CONDITION = 1e-6  # of the trace, some ten times the rounding of float32


def oriented(direction: Tensor, along: Tensor, across: Tensor) -> Tensor:
    """Packed ``(..., 3)`` matrix with eigenvalues ``along`` and ``across`` a unit vector.

    Args:
        direction: ``(..., 2)`` unit vectors.
        along: ``(...)`` variance (or information) along the vector.
        across: ``(...)`` variance (or information) across it.
    """
    x, y = direction.unbind(-1)
    xx, yy = x * x, y * y
    return torch.stack(
        [along * xx + across * yy, (along - across) * x * y, along * yy + across * xx], dim=-1
    )


def inverse(packed: Tensor) -> Tensor:
    """Packed inverse of packed positive definite ``(..., 3)`` matrices."""
    xx, xy, yy = packed.unbind(-1)
    return torch.stack([yy, -xy, xx], dim=-1) / (xx * yy - xy * xy)[..., None]


def conditioned(packed: Tensor) -> Tensor:
    """Packed covariances ``(..., 3)`` whose determinant stays positive in single precision.

    A millionth of the trace is added to both variances. Where one axis is a hundred thousand times
    as uncertain as the other, rounding alone makes a determinant negative; elsewhere it is lost in
    the rounding.
    """
    xx, xy, yy = packed.unbind(-1)
    floor = CONDITION * (xx + yy)
    return torch.stack([xx + floor, xy, yy + floor], dim=-1)


def times(packed: Tensor, vectors: Tensor) -> Tensor:
    """Products ``(..., 2)`` of packed ``(..., 3)`` matrices and ``(..., 2)`` vectors."""
    first = (packed[..., :2] * vectors).sum(-1)
    second = (packed[..., 1:] * vectors).sum(-1)
    return torch.stack([first, second], dim=-1)


def outer(vectors: Tensor) -> Tensor:
    """Packed ``v v'`` of ``(..., 2)`` vectors."""
    x, y = vectors.unbind(-1)
    return torch.stack([x * x, x * y, y * y], dim=-1)


def packed(matrices: Tensor) -> Tensor:
    """Packed ``(..., 3)`` symmetric matrices of ``(..., 2, 2)`` ones."""
    xx, xy, yx, yy = matrices.flatten(-2).unbind(-1)
    return torch.stack([xx, 0.5 * (xy + yx), yy], dim=-1)


def as_matrices(packed: Tensor) -> Tensor:
    """``(..., 2, 2)`` matrices of packed ``(..., 3)`` ones."""
    return packed[..., [0, 1, 1, 2]].reshape(*packed.shape[:-1], 2, 2)
