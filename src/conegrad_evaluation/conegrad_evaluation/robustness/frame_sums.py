"""Sums per frame of which a rate under a fault is made."""

from typing import NamedTuple

import numpy as np

from conegrad_evaluation.disturbances.fault import Fault
from conegrad_evaluation.metrics.matching import EvaluationConfig, Floats, FrameResult
from conegrad_evaluation.metrics.records import collect
from conegrad_evaluation.robustness.robustness import Robustness


class FrameSums(NamedTuple):
    """A rate of intact and of disturbed frames: ``hits / totals``.

    Attributes:
        hits: ``(F, 2)`` of the intact frame, and under the fault.
        totals: ``(F, 2)`` likewise.
    """

    hits: Floats
    totals: Floats


def frame_sums(result: Robustness, fault: Fault, *, is_recall: bool) -> FrameSums:
    """Sums of F1 with colour, or of recall in any colour.

    Args:
        result: of the replay.
        fault: one of its faults.
        is_recall: recall in place of F1 with colour.
    """
    runs = (result.clean[str(fault)], result.disturbed[str(fault)])
    pairs = [_of_frames(frames, result.config, is_recall=is_recall) for frames in runs]
    hits, totals = (np.stack(columns, axis=-1) for columns in zip(*pairs, strict=True))
    return FrameSums(hits, totals)


def _of_frames(
    frames: list[FrameResult], config: EvaluationConfig, *, is_recall: bool
) -> tuple[Floats, Floats]:
    records = collect(frames, config)
    cones, truth, count = records.cones, records.truth, len(frames)
    true = np.bincount(truth.frames, minlength=count).astype(np.float64)
    if is_recall:
        found = np.bincount(truth.frames[truth.found.astype(np.bool_)], minlength=count)
        return found.astype(np.float64), true
    predicted = np.bincount(cones.frames[cones.selected], minlength=count)
    right = np.bincount(cones.frames[cones.selected & cones.is_right], minlength=count)
    return 2.0 * right.astype(np.float64), predicted + true
