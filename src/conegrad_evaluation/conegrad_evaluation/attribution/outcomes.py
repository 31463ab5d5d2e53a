"""What happens to every cone, for any set of perfect components."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.fusion.selection import select_cones
from conegrad_evaluation.metrics.counts import ConeCounts, count_cones
from conegrad_evaluation.metrics.failure_modes import false_cones, missed_truth
from conegrad_evaluation.metrics.matching import (
    UNMATCHED,
    Booleans,
    EvaluationConfig,
    Floats,
    FrameResult,
    match_frame,
)
from conegrad_evaluation.metrics.records import collect, colour_fits
from conegrad_evaluation.port_metrics import MIN_EXISTENCE

SAME_PLACE = 0.6  # [m] within which a false cone is the same one


class FaultyCone(NamedTuple):
    """A cone that keeps the score below 1.

    Attributes:
        frame: row among the samples.
        row: of the truth for a lost one, of the cones for a false one.
        is_lost: a true cone that was not found with its colour; else a false cone.
        mode: of :mod:`conegrad_evaluation.metrics.failure_modes`.
        position: ``(2,)`` in the frame of the truth [m].
    """

    frame: int
    row: int
    is_lost: bool
    mode: str
    position: npt.NDArray[np.float64]


class Outcome(NamedTuple):
    """The evaluation of one set of perfect components.

    Attributes:
        frames: match of each sample.
        counts: over all samples.
    """

    frames: Sequence[FrameResult]
    counts: ConeCounts


def outcome(
    cones: Sequence[Cones], truths: Sequence[TrueCones], config: EvaluationConfig
) -> Outcome:
    """Match the candidates of every sample as the metrics of a system do."""
    pairs = zip(cones, truths, strict=True)
    frames = [match_frame(select_cones(c, MIN_EXISTENCE), truth, config) for c, truth in pairs]
    return Outcome(frames, count_cones(collect(frames, config)))


def faulty_cones(found: Outcome, config: EvaluationConfig) -> list[FaultyCone]:
    """Every lost or wrongly coloured true cone, and every false cone that is none of these.

    A wrong colour is listed once, with its truth.
    """
    faults = []
    for place, frame in enumerate(found.frames):
        for row, mode in missed_truth(frame, config):
            faults.append(FaultyCone(place, row, True, mode, frame.truth_positions[row]))
        for row, mode in false_cones(frame, config):
            if mode != "wrong_colour":
                faults.append(FaultyCone(place, row, False, mode, frame.positions[row]))
    return faults


def repaired(
    faults: Sequence[FaultyCone], found: Outcome, config: EvaluationConfig
) -> npt.NDArray[np.float64]:
    """``(N,)`` 1 for each faulty cone that is right in another outcome, else 0."""
    of_frames = [_right_and_false(frame, config) for frame in found.frames]
    right = np.zeros(len(faults))
    for place, fault in enumerate(faults):
        if fault.is_lost:
            right[place] = of_frames[fault.frame][0][fault.row]
        else:
            apart = np.hypot(*(of_frames[fault.frame][1] - fault.position).T)
            right[place] = not (apart <= SAME_PLACE).any()
    return right


def _right_and_false(frame: FrameResult, config: EvaluationConfig) -> tuple[Booleans, Floats]:
    """``(T,)`` truth that is found with its colour, and ``(F, 2)`` places of false cones [m]."""
    selected = frame.existence >= config.min_existence
    rows = np.flatnonzero(selected & (frame.matches != UNMATCHED))
    truth = frame.matches[rows]
    fits = colour_fits(frame.colours[rows], frame.truth_classes[truth], frame.visible_camera[truth])
    right = np.zeros(len(frame.truth_positions), dtype=np.bool_)
    right[truth[fits]] = True
    is_false = selected & ~frame.ignored & (frame.matches == UNMATCHED)
    return right, frame.positions[is_false]
