"""Attack ``scan_removed``: some beams come back without a return.

What an attacker reaches who hides returns behind false pulses (Cao et al., You Can't See Me:
Physical Removal Attacks on LiDAR-based Autonomous Vehicles Driving Frameworks, USENIX Security
2023). A beam has a return or has none: no gradient says what its loss does, so that groups of
neighbouring returns are tried.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.attacks.attack import Attack, Budget
from conegrad_evaluation.attacks.beam_choice import (
    Beams,
    best_groups,
    neighbouring_returns,
    random_groups,
    some_groups,
)
from conegrad_evaluation.attacks.perturbation import Losses, Perturbation
from conegrad_evaluation.attacks.scan_moved import SCAN
from conegrad_evaluation.samples.sample import Sample

LONGEST = 10  # beams that are tried as one group at most


class RemovedBeams(Perturbation):
    """At most ``most`` beams without their return.

    Args:
        scan: that is attacked.
        most: beams.
    """

    def __init__(self, scan: Scan, most: int) -> None:
        self._scan, self._most = scan, most
        self._groups = neighbouring_returns(scan, min(most, LONGEST))
        self._removed = scan

    def start(self, draws: np.random.Generator) -> None:
        """Nothing is removed yet."""

    def randomize(self, draws: np.random.Generator) -> None:
        """Random groups."""
        self._removed = self._without(random_groups(self._groups, self._most, draws))

    def search(self, losses: Losses, draws: np.random.Generator, tries: int) -> None:
        """The groups that raise the loss most."""
        tried = some_groups(self._groups, tries, draws)
        self._removed = self._without(best_groups(tried, self._most, self._without, losses))

    def value(self) -> Scan:
        """The scan without them."""
        return self._removed

    def delivered(self) -> Scan:
        """The same."""
        return self._removed

    def _without(self, groups: Sequence[Beams]) -> Scan:
        if not groups:
            return self._scan
        beams = torch.from_numpy(np.concatenate(groups))
        ranges = self._scan.ranges.clone()
        ranges[beams] = math.nan
        return self._scan._replace(ranges=ranges)


def _make(_: Sample, scan: Any, budget: Budget, __: Any) -> Perturbation:
    return RemovedBeams(scan, int(budget["beams"]))


SCAN_REMOVED = Attack(
    "scan_removed", SCAN, "at most so many beams lose their return",
    [{"beams": 10.0}, {"beams": 20.0}, {"beams": 40.0}], {"beams": (1.0, 100000.0)}, _make,
    whole=frozenset({"beams"}),
)  # fmt: skip
