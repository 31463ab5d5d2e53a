"""An attack: a kind of change that an attacker makes to a kind of port, with its budgets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conegrad_evaluation.attacks.perturbation import Perturbation
from conegrad_evaluation.samples.sample import Sample

Budget = Mapping[str, float]
# The perturbation of one port of a sample: value of the port, budget, what samples share.
Make = Callable[[Sample, Any, Budget, Any], Perturbation]
Share = Callable[[Budget, np.random.Generator], Any]


@dataclass(frozen=True)
class Attack:
    """A kind of change, found by the end loss.

    Attributes:
        name: under which a package registers it.
        acts_on: kind of the ports whose values it changes.
        description: one line, with the unit of each parameter.
        budgets: usual ones, the smallest first; all have the same parameters, of which the first
            one is the size of the budget.
        limits: lowest and highest value of each parameter.
        make: the perturbation of one value.
        share: makes what all samples of a drive have in common, such as the texture of a patch;
            None: each sample is attacked for itself.
        whole: parameters that are counts.
    """

    name: str
    acts_on: str
    description: str
    budgets: Sequence[Budget]
    limits: Mapping[str, tuple[float, float]]
    make: Make
    share: Share | None = None
    whole: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.budgets or any(list(b) != list(self.limits) for b in self.budgets):
            found = [list(budget) for budget in self.budgets]
            raise ValueError(
                f"budgets of {self.name} have the parameters {found}, expected at least one "
                f"budget with {list(self.limits)}"
            )

    @property
    def size(self) -> str:
        """The parameter that says how large a budget is."""
        return next(iter(self.limits))

    @property
    def usual(self) -> Budget:
        """The budget in the middle of the usual ones."""
        return self.budgets[len(self.budgets) // 2]

    def budget(self, given: Budget) -> dict[str, float]:
        """The usual budget with the parameters that are given instead.

        Raises:
            ValueError: for a parameter that there is not, or a value out of its limits.
        """
        for name, value in given.items():
            if name not in self.limits:
                known = ", ".join(self.limits)
                raise ValueError(f"{self.name} has no parameter {name!r}, expected one of {known}")
            low, high = self.limits[name]
            if not low <= value <= high:
                raise ValueError(
                    f"{name} of {self.name} is {value:g}, expected {low:g} to {high:g}"
                )
            if name in self.whole and value != int(value):
                raise ValueError(f"{name} of {self.name} is {value:g}, expected a whole number")
        return {**self.usual, **given}
