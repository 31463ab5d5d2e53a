"""Attack ``scan_added``: some beams return from where nothing is.

What an attacker reaches who answers pulses before the surface does (Cao et al., Adversarial Sensor
Attack on LiDAR-based Perception in Autonomous Driving, CCS 2019): a spoofed return lies in free
space, never behind what the beam really hits. Groups of beams as wide as a cone are tried where
there is room; the gradient then moves their ranges.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.attacks.attack import Attack, Budget
from conegrad_evaluation.attacks.beam_choice import Beams, best_groups, random_groups
from conegrad_evaluation.attacks.perturbation import Losses, Perturbation
from conegrad_evaluation.attacks.scan_moved import SCAN
from conegrad_evaluation.samples.sample import Sample

WIDTH = 0.2  # [m], of a group of spoofed returns: that of a cone
NEAREST, FARTHEST = 1.5, 12.0  # [m], where groups are tried
HALF_VIEW = math.radians(100)  # to either side
CLEARANCE = 0.1  # [m], of a spoofed return from the surface behind it
CANDIDATES = 32  # groups of which the random baseline takes some
TRIALS = 20  # places that are drawn for each group: most are not free
MOVED = 0.3  # [m], by which the gradient may move a spoofed return
BEAM_LABELS = "beams"  # kind of label


class SpoofedReturns(Perturbation):
    """At most ``most`` beams with a return in the free space before what they hit.

    Args:
        scan: that is attacked.
        most: beams.
    """

    def __init__(self, scan: Scan, most: int) -> None:
        self._scan, self._most = scan, most
        self.radius = MOVED
        self._step = abs(float(scan.angles[-1] - scan.angles[0])) / (len(scan.angles) - 1)
        surface = scan.ranges.nan_to_num(nan=math.inf)
        self._free = surface.clamp(max=FARTHEST + MOVED + CLEARANCE) - CLEARANCE
        self._ranges: dict[int, float] = {}  # of groups, by identity
        self._place(np.zeros(0, dtype=np.intp), np.zeros(0))

    def start(self, draws: np.random.Generator) -> None:
        """Nothing is spoofed yet."""

    def randomize(self, draws: np.random.Generator) -> None:
        """Random groups."""
        self._take(random_groups(self._candidates(draws, CANDIDATES), self._most, draws))

    def search(self, losses: Losses, draws: np.random.Generator, tries: int) -> None:
        """The groups that raise the loss most."""

        def changed(groups: Sequence[Beams]) -> Scan:
            self._take(groups)
            return self.delivered()

        self._take(best_groups(self._candidates(draws, tries), self._most, changed, losses))

    def value(self) -> Scan:
        """The scan with the spoofed returns."""
        ranges = self._scan.ranges.index_put((self._beams,), self.leaf)
        return self._scan._replace(ranges=ranges)

    def delivered(self) -> Scan:
        """The same, without gradient."""
        return self._scan._replace(
            ranges=self._scan.ranges.index_put((self._beams,), self.leaf.detach())
        )

    def ascend(self, gradient: Tensor, share: float) -> None:
        """Move each spoofed return, at most up to the surface behind it."""
        moved = self.leaf.detach() + share * self.radius * gradient.sign()
        moved = torch.clamp(moved, self._middle - self.radius, self._middle + self.radius)
        self.leaf = moved.minimum(self._free[self._beams]).clamp(min=NEAREST - MOVED)

    def labels(self, labels: Mapping[str, Any]) -> Mapping[str, Any]:
        """No spoofed beam hit a cone."""
        if BEAM_LABELS not in labels:
            return labels
        hits = labels[BEAM_LABELS].clone()
        hits[self._beams] = False
        return {**labels, BEAM_LABELS: hits}

    def _candidates(self, draws: np.random.Generator, most: int) -> list[Beams]:
        """Groups of beams that are free up to a range, which is noted for them."""
        angles, free = self._scan.angles.numpy(), self._free.numpy()
        ahead = np.flatnonzero(np.abs(angles) <= HALF_VIEW)
        groups: list[Beams] = []
        self._ranges = {}
        for _ in range(TRIALS * most if len(ahead) else 0):
            away = float(draws.uniform(NEAREST, FARTHEST))
            count = max(1, min(round(WIDTH / (away * self._step)), self._most))
            first = int(draws.choice(ahead)) - count // 2
            beams = np.arange(first, first + count)
            if beams[0] >= 0 and beams[-1] < len(free) and bool((free[beams] >= away).all()):
                groups.append(beams)
                self._ranges[id(beams)] = away
            if len(groups) == most:
                break
        return groups

    def _take(self, groups: Sequence[Beams]) -> None:
        lengths = [np.full(len(group), self._ranges[id(group)]) for group in groups]
        beams = np.concatenate([np.zeros(0, dtype=np.intp), *groups])
        self._place(beams, np.concatenate([np.zeros(0), *lengths]))

    def _place(self, beams: Beams, ranges: np.ndarray) -> None:
        self._beams = torch.from_numpy(beams)
        self._middle = torch.from_numpy(ranges).to(self._scan.ranges)
        self.leaf: Tensor = self._middle.clone()


def _make(_: Sample, scan: Any, budget: Budget, __: Any) -> Perturbation:
    return SpoofedReturns(scan, int(budget["beams"]))


SCAN_ADDED = Attack(
    "scan_added", SCAN, "at most so many beams return from free space",
    [{"beams": 10.0}, {"beams": 20.0}, {"beams": 40.0}], {"beams": (1.0, 100000.0)}, _make,
    whole=frozenset({"beams"}),
)  # fmt: skip
