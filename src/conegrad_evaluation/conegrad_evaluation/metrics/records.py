"""All frames of an evaluation as flat columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_core.cones import ConeClass
from conegrad_evaluation.metrics.matching import (
    UNMATCHED,
    Booleans,
    EvaluationConfig,
    Floats,
    FrameResult,
    Integers,
)


@dataclass(frozen=True)
class ConeRecords:
    """The cones of all frames, without ignored ones.

    Attributes:
        frames: ``(P,)`` frame of each cone.
        truth: ``(P,)`` row in :class:`TruthRecords`, or UNMATCHED.
        distances: ``(P,)`` range of the matched truth, else of the cone itself [m].
        is_match: ``(P,)`` a counted truth was matched.
        is_right: ``(P,)`` matched, and its colour is right or was not recorded.
        selected: ``(P,)`` existence reaches the operating point.
    """

    frames: Integers
    positions: Floats
    covariances: Floats
    colours: Integers
    existence: Floats
    sources: Integers
    truth: Integers
    distances: Floats
    is_match: Booleans
    is_right: Booleans
    selected: Booleans


@dataclass(frozen=True)
class TruthRecords:
    """The counted truth of all frames.

    Attributes:
        frames: ``(T,)`` frame of each truth.
        variances: ``(T,)`` of x and of y of the truth itself [m^2].
        distances: ``(T,)`` range [m].
        found: ``(T,)`` matched at the operating point.
        right: ``(T,)`` found, and its colour is right or was not recorded.
    """

    frames: Integers
    positions: Floats
    classes: Integers
    visible_camera: Booleans
    visible_lidar: Booleans
    variances: Floats
    distances: Floats
    found: Booleans
    right: Booleans


@dataclass(frozen=True)
class Records:
    """Cones and truth of ``frame_count`` frames."""

    frame_count: int
    cones: ConeRecords
    truth: TruthRecords


def collect(frames: Sequence[FrameResult], config: EvaluationConfig) -> Records:
    """Join the frames into columns without ignored cones and truth."""
    positions = _join([f.truth_positions[f.counted] for f in frames], (0, 2))
    classes = _join([f.truth_classes[f.counted] for f in frames], (0,)).astype(np.int64)
    distances = np.hypot(*positions.T)
    cones = _collect_cones(frames, config, classes, distances)
    found, right = (
        np.bincount(cones.truth[hits & cones.selected], minlength=len(positions)) > 0
        for hits in (cones.is_match, cones.is_right)
    )
    truth = TruthRecords(
        frames=_frame_numbers([int(f.counted.sum()) for f in frames]),
        positions=positions,
        classes=classes,
        visible_camera=_join([f.visible_camera[f.counted] for f in frames], (0,)).astype(np.bool_),
        visible_lidar=_join([f.visible_lidar[f.counted] for f in frames], (0,)).astype(np.bool_),
        variances=_join([f.truth_variances[f.counted] for f in frames], (0,)),
        distances=distances,
        found=found,
        right=right,
    )
    return Records(len(frames), cones, truth)


def _collect_cones(
    frames: Sequence[FrameResult],
    config: EvaluationConfig,
    classes: Integers,
    truth_distances: Floats,
) -> ConeRecords:
    kept = [~f.ignored for f in frames]
    positions = _join([f.positions[k] for f, k in zip(frames, kept, strict=True)], (0, 2))
    colours = _join([f.colours[k] for f, k in zip(frames, kept, strict=True)], (0,))
    existence = _join([f.existence[k] for f, k in zip(frames, kept, strict=True)], (0,))
    truth = _global_matches(frames)
    is_match = truth != UNMATCHED
    # Padding lets UNMATCHED (-1) index without a branch.
    classes = np.append(classes, ConeClass.UNKNOWN)[truth]
    seen = np.append(_join([f.visible_camera[f.counted] for f in frames], (0,)), False)[truth]
    own_distances = np.hypot(*positions.T)
    return ConeRecords(
        frames=_frame_numbers([int(k.sum()) for k in kept]),
        positions=positions,
        covariances=_join([f.covariances[k] for f, k in zip(frames, kept, strict=True)], (0, 2, 2)),
        colours=colours.astype(np.int64),
        existence=existence,
        sources=_join([f.sources[k] for f, k in zip(frames, kept, strict=True)], (0,)).astype(
            np.int64
        ),
        truth=truth,
        distances=np.where(is_match, np.append(truth_distances, np.nan)[truth], own_distances),
        is_match=is_match,
        is_right=is_match & colour_fits(colours, classes, seen.astype(np.bool_)),
        selected=existence >= config.min_existence,
    )


def colour_fits(colours: Integers, classes: Integers, visible_camera: Booleans) -> Booleans:
    """Whether the colour of a cone is right for the truth it was matched to.

    Only a camera measures colours: where it could not see the cone, "unknown" is right, and a
    colour is wrong where it differs. Truth of unknown colour fits every colour.
    """
    is_unseen = (colours == ConeClass.UNKNOWN) & ~visible_camera
    fits: Booleans = (colours == classes) | (classes == ConeClass.UNKNOWN) | is_unseen
    return fits


def _global_matches(frames: Sequence[FrameResult]) -> Integers:
    parts, offset = [], 0
    for frame in frames:
        local_rank = np.append(np.cumsum(frame.counted) - 1 + offset, UNMATCHED)
        parts.append(local_rank[frame.matches][~frame.ignored])
        offset += int(frame.counted.sum())
    return _join(parts, (0,)).astype(np.int64)


def _frame_numbers(sizes: list[int]) -> Integers:
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)


def _join(parts: Sequence[npt.NDArray[Any]], empty: tuple[int, ...]) -> npt.NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(empty)
