"""Precision, recall and F1 of the beams that a segmenter classifies as cone."""

from dataclasses import asdict, dataclass

from torch import Tensor

from conegrad_core.shapes import check_shape


@dataclass(frozen=True)
class BeamCounts:
    """Beams with a return, counted by label and predicted class.

    Counts of several scans add up: ``counts + other``.
    """

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0

    def __add__(self, other: "BeamCounts") -> "BeamCounts":
        return BeamCounts(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.true_negatives + other.true_negatives,
        )

    @property
    def precision(self) -> float:
        """Share of right beams among those classified as cone; 1 without any."""
        predicted = self.true_positives + self.false_positives
        return self.true_positives / predicted if predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the beams on cones that were classified as cone; 1 without any."""
        positives = self.true_positives + self.false_negatives
        return self.true_positives / positives if positives else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 without labelled or predicted cone beams."""
        wrong = self.false_positives + self.false_negatives
        right = 2 * self.true_positives
        return right / (right + wrong) if right + wrong else 1.0

    def to_dict(self) -> dict[str, float]:
        """Counts and rates by name."""
        rates = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {**rates, **asdict(self)}


def count_beams(
    logits: Tensor, labels: Tensor, ranges: Tensor, *, min_score: float = 0.5
) -> BeamCounts:
    """Count the beams of scans; those without a return are left out.

    Args:
        logits: ``(..., N)`` log-odds that a beam hit a cone.
        labels: ``(..., N)`` bool, the beam hit a cone.
        ranges: ``(..., N)`` [m]; NaN, inf and 0 mean no return.
        min_score: lowest probability of a beam that is classified as cone.

    Raises:
        ValueError: if the shapes differ.
    """
    check_shape(labels, *logits.shape, name="labels")
    check_shape(ranges, *logits.shape, name="ranges")
    returned = ranges.isfinite() & (ranges > 0)
    predicted, labelled = logits.sigmoid() >= min_score, labels.bool()
    return BeamCounts(
        int((predicted & labelled & returned).sum()),
        int((predicted & ~labelled & returned).sum()),
        int((~predicted & labelled & returned).sum()),
        int((~predicted & ~labelled & returned).sum()),
    )
