"""The cones of a system in each frame, and how two systems differ on the same frames."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from conegrad_evaluation.metrics.bootstrap import Interval, block_length, median_period
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult
from conegrad_evaluation.paired.paired_difference import (
    Drive,
    PairedRates,
    interval_of,
    paired_differences,
)
from conegrad_evaluation.paired.paired_frames import count_frames

BLOCK_SECONDS = 2.0  # [s], frames that are resampled together: they show the same cones
TAIL = 0.025  # beyond the interval on either side
BETTER, WORSE, OPEN = "better", "worse", "not settled"


class FrameScores(NamedTuple):
    """Counts of F frames in their order.

    Attributes:
        bags: recording of each frame.
        stamps_ns: of each frame [ns].
        right: cones with a right position and colour.
        predicted: cones that are not ignored.
        true: true cones that have to be found.
    """

    bags: tuple[str, ...]
    stamps_ns: tuple[int, ...]
    right: tuple[int, ...]
    predicted: tuple[int, ...]
    true: tuple[int, ...]

    @classmethod
    def of(
        cls,
        bags: Sequence[str],
        stamps_ns: Sequence[int],
        frames: Sequence[FrameResult],
        config: EvaluationConfig,
    ) -> "FrameScores":
        """Scores of matched frames."""
        counts = count_frames(frames, config)
        columns = (counts.right, counts.predicted, counts.true)
        return cls(tuple(bags), tuple(stamps_ns), *(tuple(c.tolist()) for c in columns))

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "FrameScores":
        """What :meth:`to_dict` gave.

        Raises:
            KeyError: if a column is missing.
        """
        return cls(*(tuple(values[name]) for name in cls._fields))

    def to_dict(self) -> dict[str, Any]:
        """Columns as JSON values."""
        return {name: list(values) for name, values in self._asdict().items()}


class Verdict(NamedTuple):
    """Which of two systems is better in F1 with colour.

    Attributes:
        old: score of the old system.
        new: of the new one.
        interval: 95 % of the paired difference; NaN where the frames are too few.
        word: ``better``, ``worse`` or ``not settled``.
    """

    old: float
    new: float
    interval: Interval
    word: str

    def __str__(self) -> str:
        """For people."""
        change = f"f1_colour {self.old:.3f} -> {self.new:.3f}, {self.new - self.old:+.3f}"
        if math.isnan(self.interval.low):
            return f"{change}: {self.word}, the frames are too few for an interval"
        spread = f"95 % interval {self.interval.low:+.3f} to {self.interval.high:+.3f}"
        why = ": the interval holds 0" if self.word == OPEN else ""
        return f"{change} ({spread} on the same frames): {self.word}{why}"


def compare_frames(old: FrameScores, new: FrameScores) -> Verdict:
    """Compare two systems on the same frames.

    Raises:
        ValueError: if the frames are not the same.
    """
    if (old.bags, old.stamps_ns) != (new.bags, new.stamps_ns):
        raise ValueError(
            f"the old system has {len(old.bags)} frames and the new one {len(new.bags)}, expected "
            "the same frames of the same recordings"
        )
    both = (old, new)
    hits = np.array([s.right for s in both], dtype=np.float64)[..., None] * 2.0
    totals = np.array([np.add(s.predicted, s.true) for s in both], dtype=np.float64)[..., None]
    rates = PairedRates(hits, totals, np.array(old.true, dtype=np.float64)[:, None])
    found = paired_differences(rates, drives_of(old.bags, old.stamps_ns))
    scores = float(found.old[0]), float(found.new[0])
    interval = interval_of(
        scores[1] - scores[0], float(found.errors[0]), float(found.blocks[0]), TAIL
    )
    word = BETTER if interval.low > 0 else WORSE if interval.high < 0 else OPEN
    return Verdict(*scores, interval, word)


def drives_of(bags: Sequence[str], stamps_ns: Sequence[int]) -> list[Drive]:
    """Recordings with the number of consecutive frames that show the same cones."""
    drives = []
    for _, group in itertools.groupby(zip(bags, stamps_ns, strict=True), key=lambda row: row[0]):
        stamps = [stamp for _, stamp in group]
        block = block_length(BLOCK_SECONDS, median_period(stamps))
        drives.append(Drive(len(stamps), min(block, max(1, len(stamps) // 2))))
    return drives
