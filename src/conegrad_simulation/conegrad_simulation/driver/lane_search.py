"""Lane search: the path that passes the most cones on the side of their colour.

A beam search over chains of short arcs. A cone votes for a path that passes it at half the lane
width on the side of its colour; a cone of unknown colour votes for either side. Missing cones, a
missing border and wrong colours lower the votes of a path and need no special case.
"""

from dataclasses import dataclass

import numpy as np

from conegrad_core.settings import Config, setting
from conegrad_simulation.driver.cone_memory import KnownCones
from conegrad_simulation.planar import Floats, Ints

LEVELS = 13  # curvatures to choose from
LARGEST_CHANGE = 2  # levels from one arc to the next
BEAM = 60  # paths kept after each arc
CELL = 0.4  # [track units]; of paths that end in one cell with one curvature the best is kept
VOTE = 3.0  # of a cone at exactly half the width
NARROW, WIDE = 0.8, 1.5  # [track units] off the half width at which a vote is down by one
TOUCH = 1.0  # [track units], the car would touch a nearer cone
TOUCH_COST, WRONG_SIDE_COST = 8.0, 3.0  # per cone
WRONG_SIDE_REACH = 3.0  # [track units]
BEND_COST, TURN_COST = 0.03, 0.25  # per squared level, and per squared change of level


@dataclass(frozen=True)
class SearchConfig(Config):
    """Settings of the search; lengths hold for a track of full size."""

    reach: float = setting(18.0, "Length of the searched path [m]", low=2.0, high=60.0)
    step: float = setting(1.5, "Length of one arc [m]", low=0.2, high=5.0)
    half_width: float = setting(1.8, "Expected half width of the lane [m]", low=0.3, high=10.0)
    max_curvature: float = setting(0.27, "Tightest arc [1/m]", low=0.01, high=2.0)


class _Paths:
    """Paths that grow arc by arc; row ``i`` of each array belongs to path ``i``."""

    def __init__(self) -> None:
        self.poses = np.zeros((1, 1, 3))  # (paths, arcs + 1, x y heading)
        self.levels = np.full(1, LEVELS // 2)
        self.costs = np.zeros(1)


def search_lane(cones: KnownCones, config: SearchConfig) -> Floats:
    """``(K, 3)`` poses x, y, heading along the lane, beginning at the car [track units, rad].

    Args:
        cones: in ``base_link``.
        config: settings.
    """
    paths = _Paths()
    for _ in range(round(config.reach / config.step)):
        _grow(paths, cones, config)
    best: Floats = paths.poses[paths.costs.argmin()]
    return best


def _grow(paths: _Paths, cones: KnownCones, config: SearchConfig) -> None:
    changes = np.arange(-LARGEST_CHANGE, LARGEST_CHANGE + 1)
    levels = (paths.levels[:, None] + changes).ravel()
    parents = np.repeat(np.arange(len(paths.levels)), len(changes))
    turns = np.tile(changes, len(paths.levels))
    valid = (levels >= 0) & (levels < LEVELS)
    levels, parents, turns = levels[valid], parents[valid], turns[valid]
    bends = levels - LEVELS // 2
    curvatures = bends.astype(np.float64) * (config.max_curvature / (LEVELS // 2))
    ends = _ends(paths.poses[parents, -1], curvatures, config.step)
    costs = paths.costs[parents] + BEND_COST * bends**2 + TURN_COST * turns**2
    costs = costs + _cone_costs(ends, cones, config)
    kept = _best(ends, levels, costs)
    grown = [paths.poses[parents[kept]], ends[kept][:, None]]
    paths.poses = np.concatenate(grown, axis=1)
    paths.levels, paths.costs = levels[kept], costs[kept]


def _ends(starts: Floats, curvatures: Floats, step: float) -> Floats:
    middle = starts[:, 2] + 0.5 * step * curvatures
    x = starts[:, 0] + step * np.cos(middle)
    y = starts[:, 1] + step * np.sin(middle)
    return np.stack([x, y, starts[:, 2] + step * curvatures], axis=1)


def _cone_costs(ends: Floats, cones: KnownCones, config: SearchConfig) -> Floats:
    """``(C,)`` cost of the cones beside each new arc; votes are negative."""
    dx = cones.positions[None, :, 0] - ends[:, :1]
    dy = cones.positions[None, :, 1] - ends[:, 1:2]
    cos, sin = np.cos(ends[:, 2:]), np.sin(ends[:, 2:])
    ahead, left = cos * dx + sin * dy, cos * dy - sin * dx
    # Along a path, the shares that its arcs have in a cone sum to one.
    share = np.clip(1.0 - np.abs(ahead) / config.step, 0.0, None)
    is_left = np.clip(cones.sides, 0.0, None)
    is_right = np.clip(-cones.sides, 0.0, None)
    as_left = _votes(left, config.half_width)
    as_right = _votes(-left, config.half_width)
    votes = is_left * as_left + is_right * as_right
    votes += (1.0 - is_left - is_right) * np.maximum(as_left, as_right)
    is_wrong = (left * cones.sides < 0) & (np.abs(left) < WRONG_SIDE_REACH)
    wrong = WRONG_SIDE_COST * np.abs(cones.sides) * is_wrong
    touch = TOUCH_COST * np.clip(1.0 - np.abs(left) / TOUCH, 0.0, None)
    return np.asarray((share * (wrong + touch - votes)).sum(axis=1))


def _votes(offsets: Floats, half_width: float) -> Floats:
    """Votes of cones that stand ``offsets`` beside a path, positive on their side."""
    error = offsets - half_width
    lost = np.where(error < 0, error / NARROW, error / WIDE) ** 2
    return np.asarray(np.clip(VOTE - lost, 0.0, None))


def _best(ends: Floats, levels: Ints, costs: Floats) -> Ints:
    """Rows of the best paths, one per cell and curvature."""
    order = np.argsort(costs, kind="stable")
    cells = np.round(ends[order, :2] / CELL).astype(np.int64)
    keys = (cells[:, 0] * 4096 + cells[:, 1]) * LEVELS + levels[order]
    _, first = np.unique(keys, return_index=True)
    return np.asarray(order[np.sort(first)[:BEAM]])
