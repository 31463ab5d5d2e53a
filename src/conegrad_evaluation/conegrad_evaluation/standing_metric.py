"""Metric of standing cones: how well logits tell them from those that have fallen over."""

import math
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.stats import rankdata

from conegrad_core.camera.image import TrueStanding
from conegrad_core.crops.matching import NONE, match_crops
from conegrad_core.standing.standing import Standing
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.port_metrics import PortMetric, PortResult


class StandingMetric(PortMetric):
    """Accuracy and area under the ROC curve over the crops that show a true cone."""

    truth_kind: ClassVar[str] = "stands"
    input_kinds: ClassVar[tuple[str, ...]] = ("Crops",)

    def __init__(self, config: EvaluationConfig) -> None:
        super().__init__(config)
        self._logits: list[torch.Tensor] = []
        self._stands: list[torch.Tensor] = []

    def add(self, value: Standing, truth: TrueStanding, *inputs: Any) -> None:
        """Collect the crops of one image that show a cone; ``inputs`` are its crops."""
        (crops,) = inputs
        rows = match_crops(crops.windows_xyxy, truth.boxes_xyxy)
        self._logits.append(value.logits[rows != NONE].detach().cpu())
        self._stands.append(truth.stands.cpu()[rows[rows != NONE].cpu()])

    def result(self) -> PortResult | None:
        """``standing_auroc`` (NaN unless some cones stand and some lie), ``standing_accuracy``."""
        if not self._logits:
            return None
        logits, stands = torch.cat(self._logits).numpy(), torch.cat(self._stands).numpy()
        right = (logits > 0) == stands
        headline = {
            "standing_auroc": auroc(logits, stands),
            "standing_accuracy": float(right.mean()) if len(right) else math.nan,
        }
        details = {
            **headline,
            "standing": int(stands.sum()),
            "standing_right": int(right[stands].sum()),
            "lying": int((~stands).sum()),
            "lying_right": int(right[~stands].sum()),
        }
        return PortResult(headline, details)


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Probability that a positive has the higher score, ties count half; NaN without both kinds.

    Args:
        scores: ``(N,)``.
        labels: ``(N,)`` bool.
    """
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        return math.nan
    ranks = rankdata(scores)[labels].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))
