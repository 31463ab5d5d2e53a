"""Sums per frame of which a rate under a fault is made."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

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


def frame_sums(result: Robustness) -> list[FrameSums]:
    """Sums of F1 with colour of each fault, or of recall in any colour where a sensor is lost.

    The intact frames of faults are mostly the same ones, and are collected once.

    Args:
        result: of the replay.
    """
    of_intact: dict[tuple[bool, tuple[int, ...]], tuple[Floats, Floats]] = {}
    found = []
    for fault in result.faults:
        is_recall, intact = fault.disturbance.takes_away, result.clean[str(fault)]
        frames = (is_recall, tuple(map(id, intact)))
        if frames not in of_intact:
            of_intact[frames] = sums_of_frames(intact, result.config, is_recall=is_recall)
        disturbed = sums_of_frames(result.disturbed[str(fault)], result.config, is_recall=is_recall)
        pairs = zip(of_intact[frames], disturbed, strict=True)
        found.append(FrameSums(*(np.stack(columns, axis=-1) for columns in pairs)))
    return found


def sums_of_frames(
    frames: Sequence[FrameResult], config: EvaluationConfig, *, is_recall: bool
) -> tuple[Floats, Floats]:
    """Hits and totals ``(F,)`` of each frame, of F1 with colour or of recall in any colour."""
    records = collect(frames, config)
    cones, truth, count = records.cones, records.truth, len(frames)
    true = np.bincount(truth.frames, minlength=count).astype(np.float64)
    if is_recall:
        found = np.bincount(truth.frames[truth.found.astype(np.bool_)], minlength=count)
        return found.astype(np.float64), true
    predicted = np.bincount(cones.frames[cones.selected], minlength=count)
    right = np.bincount(cones.frames[cones.selected & cones.is_right], minlength=count)
    return 2.0 * right.astype(np.float64), predicted + true
