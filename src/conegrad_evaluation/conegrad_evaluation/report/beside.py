"""Two systems on one drive, side by side: figures of both and their paired differences."""

from typing import Any, NamedTuple

import numpy as np

from conegrad_core.cones import CLASS_NAMES
from conegrad_data.bags.types import BagError
from conegrad_evaluation.drives.drive_evaluation import DriveEvaluation
from conegrad_evaluation.metrics.bootstrap import Interval
from conegrad_evaluation.metrics.matching import FrameResult
from conegrad_evaluation.metrics.range_bins import BIN_NAMES
from conegrad_evaluation.metrics.table import number
from conegrad_evaluation.paired.frame_scores import (
    TAIL,
    FrameScores,
    Verdict,
    compare_frames,
    drives_of,
)
from conegrad_evaluation.paired.paired_difference import (
    PairedRates,
    interval_of,
    paired_differences,
)
from conegrad_evaluation.paired.paired_frames import FrameCounts, count_frames

Column = tuple[str, "list[np.ndarray]", "list[np.ndarray]"]  # figure, hits and totals of both


class FigurePair(NamedTuple):
    """One figure of both systems; the interval is that of the paired difference."""

    name: str
    baseline: float
    value: float
    interval: Interval


class Beside(NamedTuple):
    """A drive beside the same drive with cones of another system.

    Attributes:
        baseline: name of the other bag.
        frames: that both have.
        verdict: on F1 with colour.
        figures: that and others.
    """

    baseline: str
    frames: int
    verdict: Verdict
    figures: tuple[FigurePair, ...]

    def rows(self) -> list[list[str]]:
        """Cells of a table."""
        return [
            [
                pair.name,
                number(pair.baseline),
                number(pair.value),
                number(pair.value - pair.baseline, signed=True),
                f"{number(pair.interval.low, signed=True)} to "
                f"{number(pair.interval.high, signed=True)}",
            ]
            for pair in self.figures
        ]

    def to_dict(self) -> dict[str, Any]:
        """For ``metrics.json``."""
        return {
            "baseline": self.baseline,
            "frames": self.frames,
            "verdict": str(self.verdict),
            "figures": {
                pair.name: [pair.baseline, pair.value, pair.interval.low, pair.interval.high]
                for pair in self.figures
            },
        }


def set_beside(baseline: DriveEvaluation, result: DriveEvaluation) -> Beside:
    """Compare the frames that two evaluations of one drive share, by their stamps.

    Raises:
        BagError: if they share no frame with truth.
    """
    config = result.evaluation.config
    of_both = [_by_stamp(baseline), _by_stamp(result)]
    stamps = sorted(set(of_both[0]) & set(of_both[1]))
    if not stamps:
        raise BagError(
            f"{baseline.drive.path} and {result.drive.path} share no stamp of cones with truth, "
            "expected two bags of one drive"
        )
    bags = [result.drive.path.stem] * len(stamps)
    frames = [[found[stamp] for stamp in stamps] for found in of_both]
    verdict = compare_frames(*(FrameScores.of(bags, stamps, own, config) for own in frames))
    counts = [count_frames(own, config) for own in frames]
    columns = [column for column in _columns(counts) if column[2][0].sum()]
    found = paired_differences(
        PairedRates(
            np.stack([np.stack(hits) for _, hits, _ in columns], axis=-1).astype(np.float64),
            np.stack([np.stack(totals) for _, _, totals in columns], axis=-1).astype(np.float64),
            np.stack([totals[0] for _, _, totals in columns], axis=-1).astype(np.float64),
        ),
        drives_of(bags, stamps),
    )
    pairs = tuple(
        FigurePair(name, float(old), float(new), interval_of(new - old, error, blocks, TAIL))
        for (name, _, _), old, new, error, blocks in zip(
            columns, found.old, found.new, found.errors, found.blocks, strict=True
        )
    )
    first = FigurePair("F1 with colour", verdict.old, verdict.new, verdict.interval)
    return Beside(baseline.drive.path.stem, len(stamps), verdict, (first, *pairs))


def _by_stamp(result: DriveEvaluation) -> dict[int, FrameResult]:
    pairs = zip(result.drive.frames, result.results, strict=True)
    return {frame.stamp_ns: match for frame, match in pairs if match is not None}


def _columns(counts: "list[FrameCounts]") -> list[Column]:
    columns: list[Column] = [
        ("recall with colour", [c.right for c in counts], [c.true for c in counts]),
        ("precision with colour", [c.right for c in counts], [c.predicted for c in counts]),
    ]
    columns += [
        (
            f"recall, {name}",
            [c.range_found[:, index] for c in counts],
            [c.range_true[:, index] for c in counts],
        )
        for index, name in enumerate(BIN_NAMES)
    ]
    columns += [
        (
            f"recall with colour, {name.replace('_', ' ')}",
            [c.class_right[:, index] for c in counts],
            [c.class_true[:, index] for c in counts],
        )
        for index, name in enumerate(CLASS_NAMES)
    ]
    return columns
