"""Starts of a map alignment: pairs of seen cones that look like pairs of the map."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from conegrad_core.cones import ConeClass

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
NEAREST, FARTHEST = 3.0, 25.0  # [m], pairs in between: their direction is exact enough
PAIRS = 40  # seen pairs that are tried: one whose cones are both right is enough
SCORED_CONES = 40  # seen cones that score a start
MAX_STARTS = 30_000  # scored, evenly chosen where there are more
CELL = (0.5, 0.05)  # [m], [rad], nearer starts count as one


def starts(survey: Any, seen: Any, match_distance: float) -> Floats:
    """``(S, 3)`` poses ``odom_from_map``, the most promising first and each only once.

    Args:
        survey: map with ``positions`` and ``classes``.
        seen: seen cones with ``positions`` and ``classes``.
        match_distance: error of a position that is usual [m].
    """
    rng = np.random.default_rng(0)
    distances = np.linalg.norm(survey.positions[:, None] - survey.positions[None], axis=-1)
    poses = [
        _poses_of_pair(pair, survey, seen, distances, match_distance)
        for pair in _seen_pairs(seen, rng)
    ]
    found = np.concatenate(poses) if poses else np.empty((0, 3))
    if len(found) > MAX_STARTS:
        found = found[:: len(found) // MAX_STARTS + 1]
    order = np.argsort(-_scores(found, survey, seen, match_distance, rng), kind="stable")
    return _distinct(found[order])


def _seen_pairs(seen: Any, rng: np.random.Generator) -> Ints:
    """``(P, 2)`` pairs of coloured cones at a good distance, drawn at random."""
    known = np.flatnonzero(seen.classes != ConeClass.UNKNOWN)
    positions = seen.positions[known]
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    pairs = np.argwhere(np.triu((distances > NEAREST) & (distances < FARTHEST)))
    return np.asarray(known[rng.permutation(pairs)[:PAIRS]])


def _poses_of_pair(
    pair: Ints, survey: Any, seen: Any, distances: Floats, match_distance: float
) -> Floats:
    """Poses of the map that put two of its cones where a pair was seen."""
    first, second = seen.positions[pair]
    length = float(np.linalg.norm(second - first))
    may_be = [_may_be(survey.classes, colour) for colour in seen.classes[pair]]
    fits = np.abs(distances - length) < 2 * match_distance
    one, other = np.nonzero(fits & may_be[0][:, None] & may_be[1][None])
    across = survey.positions[other] - survey.positions[one]
    direction = np.arctan2(*(second - first)[::-1])
    yaws = direction - np.arctan2(across[:, 1], across[:, 0])
    middles = (survey.positions[one] + survey.positions[other]) / 2
    return np.column_stack([(first + second) / 2 - _turned(middles, yaws), yaws])


def _may_be(classes: Ints, colour: int) -> npt.NDArray[np.bool_]:
    return np.asarray((classes == colour) | (classes == ConeClass.UNKNOWN))


def _turned(points: Floats, yaws: Floats) -> Floats:
    sine, cosine = np.sin(yaws), np.cos(yaws)
    x, y = points[..., 0], points[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _scores(
    poses: Floats, survey: Any, seen: Any, match_distance: float, rng: np.random.Generator
) -> Floats:
    """How well the seen cones lie on the map at each pose, 0 to 1."""
    scored = rng.permutation(len(seen.positions))[:SCORED_CONES]
    gate = 2 * match_distance  # a start is only roughly right
    score = np.zeros(len(poses))
    for colour in np.unique(seen.classes[scored]):
        points = seen.positions[scored][seen.classes[scored] == colour]
        same = _may_be(survey.classes, colour) | (colour == ConeClass.UNKNOWN)
        if not same.any() or not len(poses):
            continue
        offsets = points[None] - poses[:, None, :2]
        in_map = _turned(offsets, np.repeat(-poses[:, 2:], len(points), axis=1))
        tree = cKDTree(survey.positions[same])
        errors, _ = tree.query(in_map, distance_upper_bound=gate)
        score += np.clip(1 - errors / gate, 0, 1).sum(axis=1)
    return score / len(scored)


def _distinct(poses: Floats) -> Floats:
    cells = np.column_stack([poses[:, :2] / CELL[0], poses[:, 2:] / CELL[1]]).round()
    _, firsts = np.unique(cells, axis=0, return_index=True)
    return np.asarray(poses[np.sort(firsts)])
