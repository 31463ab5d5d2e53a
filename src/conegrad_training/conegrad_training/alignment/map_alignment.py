"""Aligns a surveyed map of cones with the odometry of a drive, by the cones the car saw."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from conegrad_core.cones import COLOUR_NAMES, ConeClass
from conegrad_core.settings import Config, setting
from conegrad_data.errors import AlignmentError
from conegrad_training.alignment.alignment_hypotheses import starts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SOFT = 0.1  # [m], residuals beyond pull ever less (Cauchy loss)
MAX_ROUNDS = 30  # of matching and fitting; a handful is usual
REFINED = 25  # starts that are fitted
ELSEWHERE = (1.0, 0.2)  # [m], [rad], fits further apart than this are two answers
FEW_FRAMES = 30  # fewer looks may miss cones that the car passed
VIEW_NEAR, VIEW_FAR, VIEW_ANGLE = 2.0, 7.0, 0.6  # [m], [m], [rad]: surely seen from a pose


@dataclass(frozen=True)
class AlignmentConfig(Config):
    """What counts as a good fit."""

    match_distance: float = setting(
        0.4, "Largest distance of a perceived cone to its cone of the map [m]", low=0
    )
    min_cones: int = setting(8, "Smallest number of perceived cones that fit", low=3)
    min_inliers: float = setting(
        0.75, "Smallest share of perceived cones that fit", low=0.0, high=1.0
    )
    min_coverage: float = setting(
        0.6,
        "Smallest share of the map's cones along the drive that were perceived",
        low=0.0,
        high=1.0,
    )
    max_residual: float = setting(0.2, "Largest error of the cones that fit, RMS [m]", low=0.0)
    max_rival: float = setting(
        0.8, "Highest score of another place of the map, relative to the best", low=0.0, high=1.0
    )


class ConeMap(NamedTuple):
    """A surveyed map.

    Attributes:
        positions: ``(N, 2)`` in any frame [m].
        classes: ``(N,)`` :class:`ConeClass`; UNKNOWN where the colour was not noted.
    """

    positions: Floats
    classes: Ints


class SeenCones(NamedTuple):
    """Cones that the drive confirms, in the frame of its odometry.

    Attributes:
        positions: ``(M, 2)`` [m].
        classes: ``(M,)`` :class:`ConeClass`.
        poses: ``(P, 3)`` poses of the car when it looked: x, y [m], yaw [rad].
    """

    positions: Floats
    classes: Ints
    poses: Floats


class Alignment(NamedTuple):
    """A fit of a map.

    Attributes:
        odom_from_map: ``(3,)`` x, y [m] and yaw [rad] of the map's origin in the odometry frame.
        matches: ``(M,)`` cone of the map that each seen cone fits, -1 for none.
        residual: RMS distance of the cones that fit [m].
        inliers: share of seen cones that fit.
        coverage: share of the map's cones along the drive that were seen.
    """

    odom_from_map: Floats
    matches: Ints
    residual: float
    inliers: float
    coverage: float

    @property
    def score(self) -> float:
        """Both shares together: seen cones must be on the map, and those of the map be seen."""
        return self.inliers * self.coverage


def align_map(survey: ConeMap, seen: SeenCones, config: AlignmentConfig | None = None) -> Alignment:
    """Place of a map in the odometry frame; needs no guess.

    Every pair of seen cones that looks like a pair of the map (colours, distance) is a start. The
    best starts are fitted by robust least squares to the nearest cones of their colour, matched
    anew until the matches stay.

    Args:
        survey: the map.
        seen: what the car saw, and from where.
        config: what counts as a good fit.

    Raises:
        AlignmentError: if the fit is bad or the map fits at several places.
    """
    config = config or AlignmentConfig()
    if len(seen.positions) < config.min_cones:
        raise AlignmentError(
            f"{len(seen.positions)} cones were seen for sure, expected {config.min_cones} or more; "
            f"{_longer(seen)}"
        )
    centred, middles = _centred(survey, seen)
    found = starts(*centred, config.match_distance)
    if not len(found):
        raise AlignmentError(
            f"no two of the {len(seen.positions)} seen cones ({_colours(seen.classes)}) look like "
            f"two of the map ({_colours(survey.classes)}), expected the same colours and distances"
            + (f"; {_longer(seen)}" if _are_few(seen) else "")
        )
    fits = [_fitted(start, *centred, config) for start in found[:REFINED]]
    best = max(fits, key=lambda fit: fit.score)
    _check(best, seen, config)
    _check_unique(best, fits, centred, config)
    return best._replace(odom_from_map=_uncentred(best.odom_from_map, *middles))


def moved(points: Floats, pose: Floats) -> Floats:
    """``(..., 2)`` points of the child frame whose pose (x, y, yaw) is given, in the parent's."""
    sine, cosine = math.sin(pose[2]), math.cos(pose[2])
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]) + pose[:2])


def _centred(survey: ConeMap, seen: SeenCones) -> tuple[tuple[ConeMap, SeenCones], list[Floats]]:
    """Both around their means: a map may have large coordinates (UTM)."""
    middles = [survey.positions.mean(axis=0), seen.positions.mean(axis=0)]
    shift = np.append(middles[1], 0.0)
    moved_map = survey._replace(positions=survey.positions - middles[0])
    moved_seen = SeenCones(seen.positions - middles[1], seen.classes, seen.poses - shift)
    return (moved_map, moved_seen), middles


def _uncentred(pose: Floats, map_middle: Floats, seen_middle: Floats) -> Floats:
    origin = moved(-map_middle, pose) + seen_middle
    yaw = math.remainder(float(pose[2]), 2 * math.pi)
    return np.array([*origin, yaw])


def _fitted(start: Floats, survey: ConeMap, seen: SeenCones, config: AlignmentConfig) -> Alignment:
    """Match and fit in turns, first with a wide gate."""
    pose = start
    gate = 2 * config.match_distance
    before: Ints | None = None
    for _ in range(MAX_ROUNDS):
        matches = match(moved(survey.positions, pose), survey.classes, seen, gate)
        if before is not None and np.array_equal(matches, before):
            if gate == config.match_distance:
                break
            gate = config.match_distance
        before = matches
        if (matches >= 0).sum() < 2:
            break
        pose = _least_squares(pose, survey, seen, matches)
    return _measured(pose, survey, seen, config)


def match(placed: Floats, classes: Ints, seen: SeenCones, gate: float) -> Ints:
    """``(M,)`` nearest cone of the map of each seen cone's colour within the gate, else -1.

    An unknown colour, on the map or seen, goes with any.
    """
    found = np.full(len(seen.positions), -1, dtype=np.int64)
    for colour in np.unique(seen.classes):
        same = (classes == colour) | (classes == ConeClass.UNKNOWN) | (colour == ConeClass.UNKNOWN)
        candidates, rows = np.flatnonzero(same), np.flatnonzero(seen.classes == colour)
        if len(candidates):
            distances, nearest = cKDTree(placed[candidates]).query(seen.positions[rows])
            found[rows] = np.where(distances <= gate, candidates[nearest], -1)
    return found


def _least_squares(pose: Floats, survey: ConeMap, seen: SeenCones, matches: Ints) -> Floats:
    kept = matches >= 0
    sources, targets = survey.positions[matches[kept]], seen.positions[kept]

    def offsets(pose: Floats) -> Floats:
        return np.asarray((moved(sources, pose) - targets).ravel())

    fit = least_squares(offsets, pose, loss="cauchy", f_scale=SOFT)
    return np.asarray(fit.x)


def _measured(pose: Floats, survey: ConeMap, seen: SeenCones, config: AlignmentConfig) -> Alignment:
    placed = moved(survey.positions, pose)
    matches = match(placed, survey.classes, seen, config.match_distance)
    fits = matches >= 0
    errors = np.linalg.norm(placed[matches[fits]] - seen.positions[fits], axis=1)
    expected = np.flatnonzero(_in_view(placed, seen.poses))
    found = np.isin(expected, matches).mean() if len(expected) else 0.0
    residual = float(np.sqrt(np.mean(errors**2))) if len(errors) else math.inf
    return Alignment(pose, matches, residual, float(fits.mean()), float(found))


def _in_view(points: Floats, poses: Floats) -> npt.NDArray[np.bool_]:
    """Points that were close ahead of the car at least once."""
    offsets = points[:, None] - poses[None, :, :2]
    distances = np.linalg.norm(offsets, axis=-1)
    angles = np.arctan2(offsets[..., 1], offsets[..., 0]) - poses[:, 2]
    ahead = np.abs((angles + np.pi) % (2 * np.pi) - np.pi) < VIEW_ANGLE
    seen = ahead & (distances > VIEW_NEAR) & (distances < VIEW_FAR)
    return np.asarray(seen.any(axis=1))


def _check(fit: Alignment, seen: SeenCones, config: AlignmentConfig) -> None:
    cones = int((fit.matches >= 0).sum())
    lies_on_it = fit.inliers >= config.min_inliers and fit.residual <= config.max_residual
    is_enough = cones >= config.min_cones and fit.coverage >= config.min_coverage
    if not (lies_on_it and is_enough):
        advice = ". Is it the map of this track, in metres? Does the odometry drift?"
        if _are_few(seen):
            advice = f"; {_longer(seen)}{'' if lies_on_it else advice}"
        raise AlignmentError(
            f"the map does not fit the drive: {cones} of {len(fit.matches)} seen cones "
            f"({fit.inliers:.0%}) lie on it with an error of {fit.residual:.2f} m RMS, and "
            f"{fit.coverage:.0%} of its cones along the drive were seen; expected "
            f"{config.min_cones} or more cones, {config.min_inliers:.0%}, at most "
            f"{config.max_residual:.2f} m, and {config.min_coverage:.0%}{advice}"
        )


def _are_few(seen: SeenCones) -> bool:
    return len(seen.poses) < FEW_FRAMES


def _longer(seen: SeenCones) -> str:
    """What to do when more cones would help."""
    if not _are_few(seen):
        return "give a longer drive"
    return f"only {len(seen.poses)} frames were looked at, give more --frames or a longer drive"


def _check_unique(
    best: Alignment,
    fits: list[Alignment],
    centred: tuple[ConeMap, SeenCones],
    config: AlignmentConfig,
) -> None:
    survey, seen = centred
    used = survey.positions[best.matches[best.matches >= 0]]
    rivals = [fit for fit in fits if _is_elsewhere(fit.odom_from_map, best.odom_from_map, used)]
    rival = max(rivals, key=lambda fit: fit.score, default=None)
    if rival is not None and rival.score > config.max_rival * best.score:
        raise AlignmentError(
            f"the map fits at several places: {best.inliers:.0%} of the seen cones at the best "
            f"({best.residual:.2f} m RMS) and {rival.inliers:.0%} at another "
            f"({rival.residual:.2f} m RMS), expected a clear winner; {_longer(seen)}"
        )


def _is_elsewhere(pose: Floats, other: Floats, points: Floats) -> bool:
    apart = np.linalg.norm((moved(points, pose) - moved(points, other)).mean(axis=0))
    turned = abs(math.remainder(float(pose[2] - other[2]), 2 * math.pi))
    return bool(apart > ELSEWHERE[0] or turned > ELSEWHERE[1])


def _colours(classes: Ints) -> str:
    return ", ".join(sorted({COLOUR_NAMES[colour] for colour in classes}))
