"""Choosing groups of beams of a scan within a number of beams, by what each does to the loss."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.attacks.perturbation import Losses

G = TypeVar("G")
Beams = npt.NDArray[np.intp]  # (n,) places in a scan
GAP = 0.3  # [m] between neighbouring returns that parts two groups
REACH = 15.0  # [m], cones beyond count little


def neighbouring_returns(scan: Scan, longest: int) -> list[Beams]:
    """Groups of neighbouring beams whose returns lie on one surface, within reach.

    Args:
        scan: the scan.
        longest: beams of a group; longer ones are parted.
    """
    ranges = scan.ranges.numpy()
    with np.errstate(invalid="ignore"):
        beams = np.flatnonzero(ranges <= REACH)
    if not len(beams):
        return []
    apart = (np.diff(beams) > 1) | (np.abs(np.diff(ranges[beams])) > GAP)
    groups = np.split(beams, np.flatnonzero(apart) + 1)
    return [part for group in groups for part in _parted(group, longest)]


def _parted(group: Beams, longest: int) -> list[Beams]:
    count = -(-len(group) // longest)
    return list(np.array_split(group, count))


def some_groups(groups: Sequence[G], count: int, draws: np.random.Generator) -> list[G]:
    """At most so many of the groups, at random, in their order."""
    chosen = draws.permutation(len(groups))[:count]
    return [groups[place] for place in sorted(chosen.tolist())]


def best_groups(
    groups: Sequence[Beams],
    most: int,
    changed: Callable[[Sequence[Beams]], Any],
    losses: Losses,
) -> list[Beams]:
    """The groups that raise the loss most, with a number of beams in all.

    Each group is tried alone; then the best ones by gain per beam are taken together, as many as
    raise the loss.

    Args:
        groups: to choose from.
        most: beams.
        changed: the value of the port with some of the groups.
        losses: of values.
    """
    fitting = [group for group in groups if len(group) <= most]
    if not fitting:
        return []
    alone = losses([changed([]), *(changed([group]) for group in fitting)]).numpy()
    gains = (alone[1:] - alone[0]) / [len(group) for group in fitting]
    ranked = [fitting[row] for row in np.argsort(-gains, kind="stable") if gains[row] > 0]
    prefixes = _prefixes(ranked, most)
    together = losses([changed(prefix) for prefix in prefixes])
    return prefixes[int(torch.argmax(together))]


def random_groups(groups: Sequence[Beams], most: int, draws: np.random.Generator) -> list[Beams]:
    """Groups at random, with a number of beams in all."""
    order = draws.permutation(len(groups))
    return _prefixes([groups[place] for place in order], most)[-1]


def _prefixes(groups: Sequence[Beams], most: int) -> list[list[Beams]]:
    """Every first part that stays within the number of beams; groups that meet others drop out."""
    taken: list[Beams] = []
    used: set[int] = set()
    prefixes: list[list[Beams]] = [[]]
    for group in groups:
        beams = set(group.tolist())
        if not beams & used and len(beams) + len(used) <= most:
            taken, used = [*taken, group], used | beams
            prefixes.append(taken)
    return prefixes
