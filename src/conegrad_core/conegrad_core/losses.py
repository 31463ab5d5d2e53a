"""The end loss: cones against their true positions and colours."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, smooth_l1_loss

from conegrad_core.cones import ConeClass, Cones, TrueCones
from conegrad_core.settings import Config, setting
from conegrad_core.shapes import check_shape

TERMS = ("position", "colour", "existence", "covariance")  # of the end loss
CAMERA = 1  # Cones.source of a box without a segment that exists
COST_LIMIT = 5.0  # [m], beyond it the assignment does not care how far
DOUBT_LIMIT = 1.0  # [m], beyond it the assignment does not care how unlikely
TWIN_COST = 2.0  # [m], more than any doubt
MIN_COLOUR = 1e-6  # floor of a probability inside a logarithm


@dataclass(frozen=True)
class EndLossConfig(Config):
    """Settings of the end loss."""

    gate: float = setting(2.0, "Cones further than this from any truth match none [m]", low=0.1)
    beta: float = setting(0.3, "Distance at which the position loss turns linear [m]", low=1e-3)
    min_range: float = setting(1.5, "Truth nearer than this is ignored [m]", low=0.0)
    max_range: float = setting(15.0, "Truth beyond this range is ignored [m]", low=0.0)
    half_view: float = setting(
        2.36, "Truth further than this off the x axis is ignored [rad]", low=0.0, high=math.pi
    )
    twin_distance: float = setting(
        0.2, "A box this near to a segment is the same candidate [m]", low=0.0
    )
    border: float = setting(
        0.4, "Unmatched cones this near to ignored truth or region get no loss [m]", low=0.0
    )
    position_weight: float = setting(1.0, "Weight of the position term", low=0.0)
    colour_weight: float = setting(0.5, "Weight of the colour term", low=0.0)
    existence_weight: float = setting(1.0, "Weight of the existence term", low=0.0)
    recall_weight: float = setting(2.0, "Weight of existing against false cones", low=0.0)
    covariance_weight: float = setting(0.02, "Weight of the covariance term", low=0.0)
    outlier_share: float = setting(
        0.01,
        "Share of matched candidates that are outliers, spread evenly over the gate",
        low=0.0,
        high=0.5,
    )
    truth_deviation: float = setting(
        0.0, "Standard deviation of the truth's x and y where it states none [m]", low=0.0
    )


class Matching(NamedTuple):
    """Assignment of candidates to truth; constants of the graph.

    Attributes:
        rows: ``(P,)`` candidates that match.
        truths: ``(P,)`` their truth.
        evaluated: ``(M,)`` bool, candidates whose existence the loss counts.
        counted: ``(N,)`` bool, truth that counts.
    """

    rows: Tensor
    truths: Tensor
    evaluated: Tensor
    counted: Tensor


class EndLoss(torch.nn.Module):
    """Position, colour, existence and covariance of cones against the truth.

    Each candidate matches at most one true cone and the other way round. Truth that no sensor
    could see, or outside the region of interest, is ignored and so is what stands next to it.
    """

    def __init__(self, config: EndLossConfig | None = None) -> None:
        super().__init__()
        self.config = config or EndLossConfig()

    def forward(self, cones: Cones, truth: TrueCones) -> dict[str, Tensor]:
        """Weighted terms per true cone; the loss is their sum.

        Returns:
            ``position``: Huber loss of the distance; a true cone without any candidate inside
            the gate counts as one at the gate. ``colour``: cross-entropy where the true colour is
            known and the camera could see it; unknown mass spreads evenly over the colours.
            ``existence``: binary cross-entropy. ``covariance``: Gaussian negative log likelihood
            of the (detached) position error, to which the truth adds its own variance, mixed with
            a small share of outliers, which would widen all covariances; trains covariances only.

        Raises:
            ValueError: if a shape is wrong.
        """
        check_shape(truth.positions, None, 2, name="truth.positions")
        check_shape(truth.classes, len(truth.positions), name="truth.classes")
        config = self.config
        matching = match_cones(cones, truth, config)
        count = matching.counted.sum().clamp(min=1)
        terms = {
            "position": config.position_weight * _position(cones, truth, matching, config),
            "colour": config.colour_weight * _colour(cones, truth, matching),
            "existence": config.existence_weight * _existence(cones, matching, config),
            "covariance": config.covariance_weight * _covariance(cones, truth, matching, config),
        }
        return {name: term / count for name, term in terms.items()}


def match_cones(cones: Cones, truth: TrueCones, config: EndLossConfig) -> Matching:
    """One-to-one assignment of least cost: near, existing and of the right colour.

    Of a segment and the box that matches it the segment stands for the cone, even where its
    network denies it and the box alone makes the output: else that network would be taught to go
    on denying.
    """
    with torch.no_grad():
        counted = (truth.visible_camera | truth.visible_lidar) & _inside(truth.positions, config)
        index = counted.nonzero()[:, 0]
        distance = (cones.positions[:, None] - truth.positions).norm(dim=-1)  # (M, N)
        near = distance[:, index]
        doubt = (-0.21 * logsigmoid(cones.existence_logits)).clamp(max=DOUBT_LIMIT)
        twins = _twins(cones, config.twin_distance)
        cost = near.clamp(max=COST_LIMIT) + (doubt + TWIN_COST * twins)[:, None]
        cost = cost - 0.1 * _log_colour(cones.colours, truth.classes[index])
        rows, columns = (
            torch.from_numpy(found).to(index) for found in linear_sum_assignment(cost.cpu().numpy())
        )
        gated = near[rows, columns] <= config.gate
        rows, truths = rows[gated], index[columns[gated]]
        evaluated = _inside(cones.positions, config, config.border)
        if not bool(counted.all()):
            evaluated &= distance[:, ~counted].amin(1) > config.border
        if len(index):
            evaluated &= ~twins | (near.amin(1) > config.border)
        evaluated[rows] = True
    return Matching(rows, truths, evaluated, counted)


def beam_loss(logits: Tensor, labels: Tensor, ranges: Tensor, cone_weight: float = 2.0) -> Tensor:
    """Mean binary cross-entropy of the beams that have a return.

    Args:
        logits: ``(..., B)`` log odds that a beam hit a cone.
        labels: ``(..., B)`` bool or 0/1.
        ranges: ``(..., B)`` [m], NaN where there is no return: such beams are masked.
        cone_weight: weight of cone beams against others.

    Raises:
        ValueError: if the shapes differ.
    """
    check_shape(labels, *logits.shape, name="labels")
    check_shape(ranges, *logits.shape, name="ranges")
    valid = ranges.isfinite()
    weight = logits.new_tensor(cone_weight)
    losses = binary_cross_entropy_with_logits(
        logits[valid], labels[valid].to(logits), pos_weight=weight, reduction="sum"
    )
    return losses / valid.sum().clamp(min=1)


def _inside(positions: Tensor, config: EndLossConfig, border: float = 0.0) -> Tensor:
    """Mask of positions in the region of interest, at least ``border`` metres inside it."""
    distance: Tensor = positions.norm(dim=-1)
    inside: Tensor = (distance >= config.min_range + border) & (
        distance <= config.max_range - border
    )
    if config.half_view >= math.pi:
        return inside
    beyond = torch.atan2(positions[:, 1], positions[:, 0]).abs() - config.half_view
    return inside & (beyond * distance <= -border)


def _twins(cones: Cones, distance: float) -> Tensor:
    """Mask of the boxes that stand where a segment stands."""
    boxes = cones.source == CAMERA
    if bool(boxes.all()) or not bool(boxes.any()):
        return torch.zeros_like(boxes)
    nearest = torch.cdist(cones.positions, cones.positions[~boxes]).amin(1)
    return boxes & (nearest < distance)


def _log_colour(colours: Tensor, classes: Tensor) -> Tensor:
    """Log probability ``(M, N)`` of each class; 0 where the true colour is unknown."""
    known = colours[:, :4] + 0.25 * colours[:, 4:]
    logs = known.clamp(min=MIN_COLOUR).log()[:, classes.clamp(max=3)]
    return torch.where(classes == ConeClass.UNKNOWN, torch.zeros_like(logs), logs)


def _position(cones: Cones, truth: TrueCones, matching: Matching, config: EndLossConfig) -> Tensor:
    error = cones.positions[matching.rows] - truth.positions[matching.truths]
    distance = (error.square().sum(-1) + 1e-12).sqrt()
    zeros = torch.zeros_like(distance)
    loss = smooth_l1_loss(distance, zeros, beta=config.beta, reduction="sum")
    missing = matching.counted.sum() - len(matching.rows)
    return loss + missing * (config.gate - 0.5 * config.beta)


def _colour(cones: Cones, truth: TrueCones, matching: Matching) -> Tensor:
    classes = truth.classes[matching.truths]
    evaluated = (classes != ConeClass.UNKNOWN) & truth.visible_camera[matching.truths]
    colours = cones.colours[matching.rows][evaluated]
    known = colours[:, :4] + 0.25 * colours[:, 4:]
    chosen = known.gather(1, classes[evaluated][:, None])
    return -chosen.clamp(min=MIN_COLOUR).log().sum()


def _existence(cones: Cones, matching: Matching, config: EndLossConfig) -> Tensor:
    target = torch.zeros_like(cones.existence_logits)
    target[matching.rows] = 1.0
    weight = target.new_tensor(config.recall_weight)
    loss = binary_cross_entropy_with_logits(
        cones.existence_logits, target, pos_weight=weight, reduction="none"
    )
    missing = matching.counted.sum() - len(matching.rows)
    return loss[matching.evaluated].sum() + missing * (config.recall_weight * math.log(100.0))


def _covariance(
    cones: Cones, truth: TrueCones, matching: Matching, config: EndLossConfig
) -> Tensor:
    error = (cones.positions[matching.rows] - truth.positions[matching.truths]).detach()
    xx, xy, _, yy = cones.covariances[matching.rows].flatten(1).unbind(-1)
    of_truth = truth.variances(config.truth_deviation)[matching.truths].to(xx)
    xx, yy = xx + of_truth, yy + of_truth
    determinant = xx * yy - xy * xy
    x, y = error.unbind(-1)
    square = (yy * x * x - 2 * xy * x * y + xx * y * y) / determinant
    normal = -0.5 * (square + determinant.log()) - math.log(2 * math.pi)
    if config.outlier_share == 0:
        return -normal.sum()
    outlier = math.log(config.outlier_share / (math.pi * config.gate**2))
    likelihood = torch.logaddexp(
        normal + math.log1p(-config.outlier_share), torch.full_like(normal, outlier)
    )
    return -likelihood.sum()
