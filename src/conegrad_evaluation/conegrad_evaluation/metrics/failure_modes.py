"""Failure modes: classes of missed truth and of false cones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conegrad_core.cones import ConeClass
from conegrad_evaluation.metrics.matching import (
    UNMATCHED,
    Booleans,
    EvaluationConfig,
    Floats,
    FrameResult,
)
from conegrad_evaluation.metrics.records import colour_fits

NEAR = 3.0  # match distances within which an unmatched cone counts as misplaced

MISS_MODES = {
    "wrong_colour": "found, but with another colour",
    "unknown_colour": "found, but without a colour",
    "low_existence": "a candidate was within the match distance, but below the existence threshold",
    "merged": "the only cone nearby was matched to a neighbour",
    "misplaced": "a cone was nearby, but farther than the match distance",
    "camera_only": "no cone nearby; only the camera could see it",
    "lidar_only": "no cone nearby; only the LiDAR could see it",
    "both": "no cone nearby, although both sensors could see it",
}
FALSE_CONE_MODES = {
    "wrong_colour": "matched, but with another colour or none",
    "duplicate": "a second cone on truth that is already found",
    "misplaced": "near missed truth, but farther than the match distance",
    "clutter": "no truth nearby",
}
SOURCE_NAMES = {1: "camera", 2: "lidar", 3: "both"}


@dataclass(frozen=True)
class FailureModes:
    """Number of misses and false cones by failure mode; together they keep ``f1_colour`` below 1.

    Attributes:
        misses: number of misses by mode, keys of :data:`MISS_MODES`.
        false_cones: number of false cones by mode, keys of :data:`FALSE_CONE_MODES`.
        false_cones_by_source: the same by sensor, then mode.
    """

    misses: dict[str, int]
    false_cones: dict[str, int]
    false_cones_by_source: dict[str, dict[str, int]]


def count_failure_modes(frames: Sequence[FrameResult], config: EvaluationConfig) -> FailureModes:
    """Count the failure modes over all frames."""
    misses: Counter[str] = Counter()
    false: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        misses.update(mode for _, mode in missed_truth(frame, config))
        false.update(
            (SOURCE_NAMES.get(int(frame.sources[row]), "other"), mode)
            for row, mode in false_cones(frame, config)
        )
    return FailureModes(
        misses={mode: misses[mode] for mode in MISS_MODES},
        false_cones={
            mode: sum(n for (_, of_cone), n in false.items() if of_cone == mode)
            for mode in FALSE_CONE_MODES
        },
        false_cones_by_source={
            source: {mode: false[source, mode] for mode in FALSE_CONE_MODES}
            for source in SOURCE_NAMES.values()
        },
    )


def missed_truth(frame: FrameResult, config: EvaluationConfig) -> list[tuple[int, str]]:
    """Row and failure mode of each counted truth that is not found with its colour."""
    selected = frame.existence >= config.min_existence
    found_by = np.full(len(frame.truth_positions), UNMATCHED)
    matched = selected & (frame.matches != UNMATCHED)
    found_by[frame.matches[matched]] = np.flatnonzero(matched)
    near = _distances(frame)
    modes = []
    for row in np.flatnonzero(frame.counted):
        if found_by[row] != UNMATCHED:
            mode = _colour_mode(frame, int(row), int(found_by[row]))
        else:
            mode = _miss_mode(frame, config, int(row), near[:, row], selected)
        if mode:
            modes.append((int(row), mode))
    return modes


def false_cones(frame: FrameResult, config: EvaluationConfig) -> list[tuple[int, str]]:
    """Row and failure mode of each cone that is wrong at the operating point."""
    selected = frame.existence >= config.min_existence
    found = np.zeros(len(frame.truth_positions), dtype=np.bool_)
    found[frame.matches[selected & (frame.matches != UNMATCHED)]] = True
    near = _distances(frame)
    modes = []
    for row in np.flatnonzero(selected & ~frame.ignored):
        match = int(frame.matches[row])
        if match != UNMATCHED:
            if _colour_mode(frame, match, int(row)):
                modes.append((int(row), "wrong_colour"))
        elif (near[row, frame.counted & found] <= config.match_distance).any():
            modes.append((int(row), "duplicate"))
        elif (near[row, frame.counted & ~found] <= NEAR * config.match_distance).any():
            modes.append((int(row), "misplaced"))
        else:
            modes.append((int(row), "clutter"))
    return modes


def _colour_mode(frame: FrameResult, truth: int, cone: int) -> str:
    chosen = slice(truth, truth + 1)
    colour = frame.colours[cone : cone + 1]
    if colour_fits(colour, frame.truth_classes[chosen], frame.visible_camera[chosen]).all():
        return ""
    return "unknown_colour" if frame.colours[cone] == ConeClass.UNKNOWN else "wrong_colour"


def _miss_mode(
    frame: FrameResult,
    config: EvaluationConfig,
    truth: int,
    distances: Floats,
    selected: Booleans,
) -> str:
    in_gate = distances <= config.match_distance
    if (in_gate & ~selected).any():
        return "low_existence"
    if (in_gate & selected).any():
        return "merged"
    unmatched = selected & (frame.matches == UNMATCHED)
    if (unmatched & (distances <= NEAR * config.match_distance)).any():
        return "misplaced"
    if frame.visible_camera[truth] and frame.visible_lidar[truth]:
        return "both"
    return "camera_only" if frame.visible_camera[truth] else "lidar_only"


def _distances(frame: FrameResult) -> Floats:
    difference = frame.positions[:, None] - frame.truth_positions[None]
    distances: Floats = np.hypot(difference[..., 0], difference[..., 1])
    return distances
