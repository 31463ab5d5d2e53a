"""What two systems found in the same frames, counted per frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conegrad_core.cones import CLASS_NAMES
from conegrad_evaluation.metrics.matching import EvaluationConfig, FrameResult, Integers
from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of
from conegrad_evaluation.metrics.records import Records, collect


@dataclass(frozen=True)
class FrameCounts:
    """Counts of one system in F frames, at the operating point.

    Attributes:
        predicted: ``(F,)`` cones that are not ignored.
        true: ``(F,)`` truth that has to be found.
        right: ``(F,)`` cones matched, with the right colour.
        range_true: ``(F, R)`` truth by range bin.
        range_found: ``(F, R)`` truth that was found, in any colour.
        class_true: ``(F, C)`` truth by class, without unknown colours.
        class_right: ``(F, C)`` truth that was found with its colour.
    """

    predicted: Integers
    true: Integers
    right: Integers
    range_true: Integers
    range_found: Integers
    class_true: Integers
    class_right: Integers


def count_frames(frames: Sequence[FrameResult], config: EvaluationConfig) -> FrameCounts:
    """Counts of each of the frames, which were matched under the same ``config``."""
    records = collect(frames, config)
    cones, truth = records.cones, records.truth
    count = len(frames)
    bins = bin_of(truth.distances)
    return FrameCounts(
        predicted=np.bincount(cones.frames[cones.selected], minlength=count),
        true=np.bincount(truth.frames, minlength=count),
        right=np.bincount(cones.frames[cones.selected & cones.is_right], minlength=count),
        range_true=_table(records, bins, np.ones(len(bins)), len(BIN_NAMES)),
        range_found=_table(records, bins, truth.found, len(BIN_NAMES)),
        class_true=_table(records, truth.classes, np.ones(len(bins)), len(CLASS_NAMES)),
        class_right=_table(records, truth.classes, truth.right, len(CLASS_NAMES)),
    )


def _table(records: Records, columns: Integers, counted: np.ndarray, width: int) -> Integers:
    """``(F, width)`` number of truth by frame and column, where it is counted."""
    chosen = (columns < width) & counted.astype(np.bool_)
    cells = records.truth.frames[chosen] * width + columns[chosen]
    size = records.frame_count * width
    table: Integers = np.bincount(cells, minlength=size).reshape(-1, width).astype(np.int64)
    return table
