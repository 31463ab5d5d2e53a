"""What a forecast reads off the cones of held-out samples: metric and end loss."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.losses import EndLoss
from conegrad_evaluation.attribution.outcomes import outcome
from conegrad_evaluation.metrics.matching import EvaluationConfig


class Scores(NamedTuple):
    """Figures of the cones of some samples.

    Attributes:
        f1_colour: F1 of cones with their colour.
        loss: end loss, mean over samples.
    """

    f1_colour: float
    loss: float


@torch.no_grad()
def scores_of(
    cones: Sequence[Cones],
    truths: Sequence[TrueCones],
    criterion: EndLoss,
    config: EvaluationConfig,
) -> Scores:
    """Compare the candidates of each sample with its truth.

    Raises:
        ValueError: without samples.
    """
    if not cones:
        raise ValueError("cones are of no sample, expected at least one")
    losses = [
        float(torch.stack(list(criterion(found, truth).values())).sum())
        for found, truth in zip(cones, truths, strict=True)
    ]
    score = outcome(cones, truths, config).counts.f1_colour
    # Without any cone that counts nothing was found.
    return Scores(0.0 if math.isnan(score) else score, sum(losses) / len(losses))
