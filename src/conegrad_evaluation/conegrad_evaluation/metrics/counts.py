"""Counts of cones and truth, and the rates computed from them."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from conegrad_evaluation.metrics.json_values import to_json_values
from conegrad_evaluation.metrics.matching import Booleans, Integers
from conegrad_evaluation.metrics.records import Records


@dataclass(frozen=True)
class ConeCounts:
    """Counts at the operating point; a rate without a denominator is NaN.

    Attributes:
        predicted: cones that are not ignored.
        true: truth that has to be found.
        matched: cones matched to truth.
        right: matched cones with the right colour (or truth without a recorded colour).
    """

    predicted: int
    true: int
    matched: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the cones that are matched."""
        return _ratio(self.matched, self.predicted)

    @property
    def recall(self) -> float:
        """Share of the truth that is matched."""
        return _ratio(self.matched, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return self._harmonic_mean(self.matched)

    @property
    def precision_colour(self) -> float:
        """Precision with a wrong colour counted as an error."""
        return _ratio(self.right, self.predicted)

    @property
    def recall_colour(self) -> float:
        """Recall with a wrong colour counted as an error."""
        return _ratio(self.right, self.true)

    @property
    def f1_colour(self) -> float:
        """F1 with a wrong colour counted as a miss and as a false cone."""
        return self._harmonic_mean(self.right)

    def _harmonic_mean(self, hits: int) -> float:
        # A subset selected by its cones has no number of truth to find, and vice versa.
        if self.matched > min(self.predicted, self.true):
            return math.nan
        return _ratio(2 * hits, self.predicted + self.true)

    def to_dict(self) -> dict[str, Any]:
        """Counts and rates as JSON values."""
        rates = ("precision", "recall", "f1", "precision_colour", "recall_colour", "f1_colour")
        values: dict[str, Any] = to_json_values(self)
        return values | {name: to_json_values(getattr(self, name)) for name in rates}


def count_cones(
    records: Records, cones: Booleans | None = None, truth: Booleans | None = None
) -> ConeCounts:
    """Count at the operating point, among the cones and the truth of two masks (None: all)."""
    selected = records.cones.selected if cones is None else records.cones.selected & cones
    true = len(records.truth.found) if truth is None else int(truth.sum())
    return ConeCounts(
        predicted=int(selected.sum()),
        true=true,
        matched=int((records.cones.is_match & selected).sum()),
        right=int((records.cones.is_right & selected).sum()),
    )


class F1Counts(NamedTuple):
    """What an F1 of F frames is made of: ``2 * hits / totals``, each summed over the frames.

    Attributes:
        hits: ``(F,)`` cones of the frame that count as right.
        totals: ``(F,)`` its cones and its truth.
    """

    hits: Integers
    totals: Integers


def f1_counts(records: Records, hits: Booleans) -> F1Counts:
    """Counts of each frame at the operating point.

    Args:
        records: of the frames.
        hits: ``(P,)`` cones that count as right.
    """
    cones, frames = records.cones, records.frame_count
    predicted = np.bincount(cones.frames[cones.selected], minlength=frames)
    true = np.bincount(records.truth.frames, minlength=frames)
    right = np.bincount(cones.frames[cones.selected & hits], minlength=frames)
    return F1Counts(right, predicted + true)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
