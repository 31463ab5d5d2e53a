"""Why truth was missed and why cones are false."""

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

NEAR = 3.0  # match distances within which a cone is taken for a misplaced one

MISS_REASONS = {
    "wrong_colour": "found, but with another colour",
    "unknown_colour": "found, but without a colour",
    "low_existence": "a candidate was there, but below the existence threshold",
    "merged": "the only cone nearby was matched to a neighbour",
    "misplaced": "a cone was nearby, but farther than the match distance",
    "camera_only": "no cone nearby; only the camera could see it",
    "lidar_only": "no cone nearby; only the LiDAR could see it",
    "both": "no cone nearby, although both sensors could see it",
}
FALSE_REASONS = {
    "wrong_colour": "matched, but with another colour or none",
    "duplicate": "a second cone on truth that is already found",
    "misplaced": "near missed truth, but farther than the match distance",
    "clutter": "no truth nearby",
}
SOURCE_NAMES = {1: "camera", 2: "lidar", 3: "both"}


@dataclass(frozen=True)
class Reasons:
    """What keeps ``f1_colour`` below 1, counted once per miss and per false cone.

    Attributes:
        misses: number of misses by reason, keys of :data:`MISS_REASONS`.
        false_cones: number of false cones by reason, keys of :data:`FALSE_REASONS`.
        false_cones_by_source: the same by sensor, then reason.
    """

    misses: dict[str, int]
    false_cones: dict[str, int]
    false_cones_by_source: dict[str, dict[str, int]]


def explain(frames: Sequence[FrameResult], config: EvaluationConfig) -> Reasons:
    """Count the reasons over all frames."""
    misses: Counter[str] = Counter()
    false_cones: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        misses.update(reason for _, reason in missed(frame, config))
        false_cones.update(
            (SOURCE_NAMES.get(int(frame.sources[row]), "other"), reason)
            for row, reason in false(frame, config)
        )
    return Reasons(
        misses={reason: misses[reason] for reason in MISS_REASONS},
        false_cones={
            reason: sum(n for (_, r), n in false_cones.items() if r == reason)
            for reason in FALSE_REASONS
        },
        false_cones_by_source={
            source: {reason: false_cones[source, reason] for reason in FALSE_REASONS}
            for source in SOURCE_NAMES.values()
        },
    )


def missed(frame: FrameResult, config: EvaluationConfig) -> list[tuple[int, str]]:
    """Row of each counted truth that is not found in its colour, with the reason."""
    selected = frame.existence >= config.min_existence
    found_by = np.full(len(frame.truth_positions), UNMATCHED)
    matched = selected & (frame.matches != UNMATCHED)
    found_by[frame.matches[matched]] = np.flatnonzero(matched)
    near = _distances(frame)
    reasons = []
    for row in np.flatnonzero(frame.counted):
        if found_by[row] != UNMATCHED:
            reason = _colour_reason(frame, int(row), int(found_by[row]))
        else:
            reason = _miss_reason(frame, config, int(row), near[:, row], selected)
        if reason:
            reasons.append((int(row), reason))
    return reasons


def false(frame: FrameResult, config: EvaluationConfig) -> list[tuple[int, str]]:
    """Row of each cone that is wrong at the operating point, with the reason."""
    selected = frame.existence >= config.min_existence
    found = np.zeros(len(frame.truth_positions), dtype=np.bool_)
    found[frame.matches[selected & (frame.matches != UNMATCHED)]] = True
    near = _distances(frame)
    reasons = []
    for row in np.flatnonzero(selected & ~frame.ignored):
        match = int(frame.matches[row])
        if match != UNMATCHED:
            if _colour_reason(frame, match, int(row)):
                reasons.append((int(row), "wrong_colour"))
        elif (near[row, frame.counted & found] <= config.match_distance).any():
            reasons.append((int(row), "duplicate"))
        elif (near[row, frame.counted & ~found] <= NEAR * config.match_distance).any():
            reasons.append((int(row), "misplaced"))
        else:
            reasons.append((int(row), "clutter"))
    return reasons


def _colour_reason(frame: FrameResult, truth: int, cone: int) -> str:
    chosen = slice(truth, truth + 1)
    colour = frame.colours[cone : cone + 1]
    if colour_fits(colour, frame.truth_classes[chosen], frame.visible_camera[chosen]).all():
        return ""
    return "unknown_colour" if frame.colours[cone] == ConeClass.UNKNOWN else "wrong_colour"


def _miss_reason(
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
