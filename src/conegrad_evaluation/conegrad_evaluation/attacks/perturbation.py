"""A perturbation: what an attack makes of one value of a port, improved step by step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

# End loss ``(C,)`` of a sample for C values that its port could have; without gradient.
Losses = Callable[[Sequence[Any]], Tensor]


class Perturbation(ABC):
    """A change of one value of a port that stays within its budget.

    Attributes:
        leaf: what the gradient of the end loss is asked for; None: nothing can be moved.
        radius: by how much an entry of the leaf may differ from the middle of its budget.
        is_shared: the leaf is one for all samples of a drive.
    """

    leaf: Tensor | None = None
    radius: float = 0.0
    is_shared: bool = False

    @abstractmethod
    def randomize(self, draws: np.random.Generator) -> None:
        """Become a random change that uses the whole budget: the baseline of the attack."""

    @abstractmethod
    def value(self) -> Any:
        """The changed value as the pipeline takes it, differentiable in :attr:`leaf`."""

    @abstractmethod
    def delivered(self) -> Any:
        """The changed value as a sensor delivers it: images have 8 bits."""

    def start(self, draws: np.random.Generator) -> None:
        """Become the change that the search begins with: random, unless it says otherwise."""
        self.randomize(draws)

    def search(  # noqa: B027 - most need the gradient alone
        self, losses: Losses, draws: np.random.Generator, tries: int
    ) -> None:
        """Choose what no gradient says, such as which beams; nothing by default.

        Args:
            losses: of values of the port.
            draws: of random choices.
            tries: about so many values may be tried.
        """

    def ascend(self, gradient: Tensor, share: float) -> None:
        """Move the leaf along the sign of the gradient, and back into the budget.

        Args:
            gradient: of the end loss, of the shape of the leaf.
            share: length of the step, as a share of the radius.
        """
        raise NotImplementedError(f"{type(self).__name__} has no leaf to move")

    def labels(self, labels: Mapping[str, Any]) -> Mapping[str, Any]:
        """Labels of the sample as they are after the change."""
        return labels
