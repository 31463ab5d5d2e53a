"""Precision and recall over the threshold on existence."""

from dataclasses import dataclass

import numpy as np

from conegrad_evaluation.metrics.matching import Booleans, Floats

KEPT_POINTS = 200  # enough for a smooth plot, small enough for a report


@dataclass(frozen=True)
class PrecisionRecall:
    """Curve over falling thresholds, thinned to at most :data:`KEPT_POINTS` points.

    Attributes:
        average_precision: area under the curve with precision made monotonous; NaN without truth.
        best_f1: highest F1 of any threshold; NaN without cones or truth.
        best_threshold: the threshold of that F1.
        thresholds: ``(K,)`` existence probability, falling.
        precision: ``(K,)``.
        recall: ``(K,)``.

    Source:
        Everingham et al., The Pascal Visual Object Classes Challenge: A Retrospective, 2015.
    """

    average_precision: float
    best_f1: float
    best_threshold: float
    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]


def precision_recall(existence: Floats, is_hit: Booleans, true: int) -> PrecisionRecall:
    """Curve of ``(N,)`` cones of which ``is_hit`` are right, with ``true`` cones to find."""
    if not true or not len(existence):
        return PrecisionRecall(0.0 if true else np.nan, np.nan, np.nan, (), (), ())
    order = np.argsort(-existence, kind="stable")
    falling = existence[order]
    # Equal probabilities pass a threshold together.
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    hits, taken, thresholds = np.cumsum(is_hit[order])[last], last + 1, falling[last]
    precision, recall, f1 = hits / taken, hits / true, 2 * hits / (taken + true)
    best = int(f1.argmax())
    kept = np.unique(np.linspace(0, len(last) - 1, min(KEPT_POINTS, len(last))).round().astype(int))
    return PrecisionRecall(
        average_precision=_area(precision, recall),
        best_f1=float(f1[best]),
        best_threshold=float(thresholds[best]),
        thresholds=tuple(thresholds[kept].tolist()),
        precision=tuple(precision[kept].tolist()),
        recall=tuple(recall[kept].tolist()),
    )


def _area(precision: Floats, recall: Floats) -> float:
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())
