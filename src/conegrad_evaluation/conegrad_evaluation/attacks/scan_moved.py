"""Attack ``scan_moved``: every return may lie a little nearer or farther.

What an attacker reaches who answers the pulses of a LiDAR early or late; also the worst case of
range errors of that size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conegrad_core.lidar.scan import Scan
from conegrad_evaluation.attacks.attack import Attack, Budget
from conegrad_evaluation.attacks.beam_choice import Beams, neighbouring_returns, some_groups
from conegrad_evaluation.attacks.perturbation import Losses, Perturbation
from conegrad_evaluation.samples.sample import Sample

SCAN = "Scan"  # kind of port
MIN_RANGE = 0.05  # [m], no attack leaves a shorter range
LONGEST = 40  # returns that are moved as one group at most
RANDOM_STARTS = 4

Signs = npt.NDArray[np.floating]  # (n,) of changes: -1 to 1
PATTERNS: tuple[Callable[[int, np.random.Generator], Signs], ...] = (
    lambda count, _: np.ones(count),
    lambda count, _: -np.ones(count),
    lambda count, _: 1.0 - 2.0 * (np.arange(count) % 2),
    lambda count, draws: draws.integers(0, 2, count) * 2.0 - 1.0,
)


class RangeChange(Perturbation):
    """A change of each range by at most ``radius``; beams without a return keep none.

    Args:
        scan: that is attacked.
        radius: [m].
    """

    def __init__(self, scan: Scan, radius: float) -> None:
        self._scan = scan
        self._has_return = scan.ranges.isfinite()
        self.radius = radius
        self.leaf: Tensor = torch.zeros_like(scan.ranges)

    def randomize(self, draws: np.random.Generator) -> None:
        """Every return nearer or farther by the whole budget."""
        signs = draws.integers(0, 2, size=len(self._scan.ranges)) * 2 - 1
        self.leaf = torch.from_numpy(signs).to(self._scan.ranges) * self.radius

    def search(self, losses: Losses, draws: np.random.Generator, tries: int) -> None:
        """Begin with the best of some changes by the whole budget.

        Which returns form a candidate changes in jumps, of which the gradient knows nothing. So
        every group of neighbouring returns is moved alone: as a whole, every other return, or at
        random. The best of these of all groups together compete with random changes.
        """
        groups = some_groups(
            neighbouring_returns(self._scan, LONGEST), max(1, tries // len(PATTERNS)), draws
        )
        still = torch.zeros_like(self.leaf)
        alone = [still, *(self._moved(g, make(len(g), draws)) for g in groups for make in PATTERNS)]
        found = losses([self._scan_with(change) for change in alone])
        together = still.clone()
        if groups:
            gains = (found[1:] - found[0]).view(len(groups), len(PATTERNS))
            for row, group in enumerate(groups):
                best = int(gains[row].argmax())
                if gains[row, best] > 0:
                    beams = torch.from_numpy(group)
                    together[beams] = alone[1 + row * len(PATTERNS) + best][beams]
        starts = [together, self.leaf]
        for _ in range(RANDOM_STARTS - 1):
            self.randomize(draws)
            starts.append(self.leaf)
        values = losses([self._scan_with(change) for change in starts])
        self.leaf = starts[int(values.argmax())]

    def value(self) -> Scan:
        """The scan with the change."""
        return self._scan_with(self.leaf)

    def delivered(self) -> Scan:
        """The same, without gradient."""
        found = self.value()
        return found._replace(ranges=found.ranges.detach())

    def ascend(self, gradient: Tensor, share: float) -> None:
        """A step of the same length for each return."""
        moved = self.leaf.detach() + share * self.radius * gradient.sign()
        self.leaf = moved.clamp(-self.radius, self.radius)

    def _moved(self, group: Beams, signs: Signs) -> Tensor:
        change = torch.zeros_like(self.leaf)
        change[torch.from_numpy(group)] = torch.from_numpy(signs).to(change) * self.radius
        return change

    def _scan_with(self, change: Tensor) -> Scan:
        moved = (self._scan.ranges + change).clamp(min=MIN_RANGE)
        return self._scan._replace(ranges=torch.where(self._has_return, moved, self._scan.ranges))


def _make(_: Sample, scan: Any, budget: Budget, __: Any) -> Perturbation:
    return RangeChange(scan, budget["metres"])


SCAN_MOVED = Attack(
    "scan_moved", SCAN, "each return lies nearer or farther by at most so much [m]",
    [{"metres": 0.05}, {"metres": 0.1}, {"metres": 0.2}], {"metres": (0.001, 5.0)}, _make,
)  # fmt: skip
