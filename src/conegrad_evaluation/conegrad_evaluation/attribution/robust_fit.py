"""Robust least squares with few unknowns, and a covariance that frames with a tilt do not fool."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

STEP = 1e-5  # of a numerical derivative
ROUNDS = 4
SOFT = 2.0  # deviations from which on a residual counts less (Cauchy)


class Fit(NamedTuple):
    """A fit.

    Attributes:
        values: ``(P,)``.
        covariance: ``(P, P)``; rows that are not free are 0.
        cost: robust sum of squares.
        rows: of residuals.
    """

    values: Tensor
    covariance: Tensor
    cost: float
    rows: int

    @classmethod
    def nothing(cls, values: Tensor) -> "Fit":
        """A start."""
        return cls(values, values.new_zeros(len(values), len(values)), 0.0, 0)


def gauss_newton(
    residuals: Callable[[Tensor], Tensor],
    start: Tensor,
    free: Sequence[bool],
    prior: Sequence[float],
    limits: Sequence[float],
    groups: Tensor,
) -> Fit:
    """Iteratively reweighted Gauss-Newton with Cauchy weights and a Gaussian prior around 0.

    The covariance sums the gradients of each group before it squares them: rows of one frame
    share the tilt of the car and are not independent.

    Args:
        residuals: ``(P,)`` values to ``(R, D)`` residuals in deviations.
        start: ``(P,)``.
        free: which values are fitted.
        prior: standard deviation of each value around 0.
        limits: largest absolute value of each.
        groups: ``(R,)`` group of each row.

    Source:
        Triggs et al., Bundle Adjustment, 2000 (robust weights); Liang & Zeger, Longitudinal data
        analysis using generalized linear models, 1986 (covariance by groups).
    """
    values, chosen = start.clone(), [place for place, is_free in enumerate(free) if is_free]
    if not chosen or not len(groups):
        return Fit.nothing(values)._replace(rows=len(groups))
    information = torch.diag(1 / values.new_tensor(prior)[chosen].square())
    bound = values.new_tensor(limits)
    jacobian, weights, error = _linear(residuals, values, chosen)
    for _ in range(ROUNDS):
        left = torch.einsum("rdp,rd,rdq->pq", jacobian, weights, jacobian) + information
        right = torch.einsum("rdp,rd,rd->p", jacobian, weights, error)
        right = right + information @ values[chosen]
        values[chosen] = values[chosen] - torch.linalg.solve(left, right)
        values = torch.minimum(torch.maximum(values, -bound), bound)
        jacobian, weights, error = _linear(residuals, values, chosen)
    left = torch.einsum("rdp,rd,rdq->pq", jacobian, weights, jacobian) + information
    of_rows = torch.einsum("rdp,rd,rd->rp", jacobian, weights, error)
    of_groups = of_rows.new_zeros(int(groups.max()) + 1, len(chosen)).index_add(0, groups, of_rows)
    inverse = torch.linalg.inv(left)
    covariance = values.new_zeros(len(values), len(values))
    rows = torch.tensor(chosen)
    spread = inverse @ (of_groups.mT @ of_groups) @ inverse
    covariance[rows[:, None], rows] = spread
    cost = float((SOFT**2 * torch.log1p(error.square() / SOFT**2)).sum())
    return Fit(values, covariance, cost, len(groups))


def _linear(
    residuals: Callable[[Tensor], Tensor], values: Tensor, chosen: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Jacobian ``(R, D, P)``, Cauchy weights ``(R, D)`` and residuals ``(R, D)``."""
    error = residuals(values)
    columns = []
    for place in chosen:
        moved = values.clone()
        moved[place] += STEP
        columns.append((residuals(moved) - error) / STEP)
    return torch.stack(columns, dim=-1), 1 / (1 + error.square() / SOFT**2), error


def mutual_pairs(misfits: Tensor, gate: float) -> tuple[Tensor, Tensor]:
    """Rows and columns that are each other's nearest, within a gate.

    Args:
        misfits: ``(R, C)``.
        gate: largest misfit of a pair.

    Returns:
        ``(K,)`` rows and ``(K,)`` columns, one of each per pair.
    """
    if not misfits.numel():
        nothing = torch.zeros(0, dtype=torch.int64)
        return nothing, nothing
    columns = misfits.argmin(1)
    rows = torch.arange(len(columns))
    mutual = (misfits.argmin(0)[columns] == rows) & (misfits[rows, columns] <= gate)
    return rows[mutual], columns[mutual]
