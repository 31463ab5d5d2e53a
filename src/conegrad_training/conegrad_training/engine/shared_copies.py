"""Copies of a model that several branches share, merged by weighted averaging.

Each branch trains its copy for some steps; then every copy becomes the weighted mean of all
(federated averaging, McMahan et al. 2017, with the branches as clients). Flower's strategies do the
same with the arrays of a state dict, of clients in processes of their own;
``torch.optim.swa_utils.AveragedModel`` averages models of equal weight one after the other. Here
both weights and turns within one process are needed.

*Batch norm*: running means and variances are averaged as the weights are, as Flower does; the
variance of a mean of models is not the mean of their variances, but the copies have drifted little
apart, and the statistics go on following the data. *Moments* of the optimizer stay with the copy.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

State = dict[str, Tensor]


class SharedCopies:
    """A copy of one model per branch; the model itself is always the copy of one of them."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, weights: Mapping[str, float]
    ) -> None:
        """No copies yet: they begin as the model is when the first branch asks for its own.

        Args:
            model: that the branches share.
            optimizer: that trains it.
            weights: of each branch in the mean, by name; their sum is above 0.
        """
        self._model, self._optimizer = model, optimizer
        total = sum(weights.values())
        self._weights = {name: weight / total for name, weight in weights.items()}
        self._active = ""
        self._states: dict[str, State] = {}  # of every copy; that of the active one is outdated
        self._moments: dict[str, list[Any]] = {}  # likewise, of the optimizer

    def enter(self, branch: str) -> None:
        """Make the model the copy of a branch; with an empty name, the mean of all for good."""
        if branch == self._active:
            return
        if not branch:
            self.average()
            self._active, self._states, self._moments = "", {}, {}
            return
        if not self._active:
            self._states = {name: _state(self._model) for name in self._weights}
            self._moments = {name: copy.deepcopy(self._taken()) for name in self._weights}
        else:
            self._states[self._active] = _state(self._model)
            self._moments[self._active] = self._taken()
        self._active = branch
        self._model.load_state_dict(self._states[branch])
        self._put(self._moments[branch])

    def average(self) -> None:
        """Make every copy the weighted mean of all; nothing happens without copies."""
        if not self._active:
            return
        self._states[self._active] = _state(self._model)
        mean = weighted_mean([self._states[n] for n in self._weights], [*self._weights.values()])
        self._model.load_state_dict(mean)
        self._states = {name: _state(self._model) for name in self._weights}

    def state_dict(self) -> dict[str, Any]:
        """Everything but the model and its moments, for a checkpoint."""
        idle = [name for name in self._states if name != self._active]
        return {
            "active": self._active,
            "states": {name: self._states[name] for name in idle},
            "moments": {name: self._moments[name] for name in idle},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint; the model and its optimizer are restored already."""
        self._active = state["active"]
        self._states, self._moments = dict(state["states"]), dict(state["moments"])

    def _taken(self) -> list[Any]:
        """Moments of the model's weights, which the optimizer no longer has."""
        return [self._optimizer.state.pop(weight, None) for weight in self._model.parameters()]

    def _put(self, moments: Sequence[Any]) -> None:
        for weight, of_weight in zip(self._model.parameters(), moments, strict=True):
            self._optimizer.state.pop(weight, None)
            if of_weight is not None:
                self._optimizer.state[weight] = of_weight


def weighted_mean(states: Sequence[State], weights: Sequence[float]) -> State:
    """Weighted mean of each tensor of state dicts; of whole numbers, such as counts, the largest.

    Args:
        states: with the same tensors.
        weights: of the states; their sum is 1.
    """
    mean: State = {}
    for name, first in states[0].items():
        tensors = [state[name] for state in states]
        if first.is_floating_point():
            mean[name] = sum(
                (weight * tensor.double() for weight, tensor in zip(weights, tensors, strict=True)),
                torch.zeros_like(first, dtype=torch.float64),
            ).to(first.dtype)
        else:
            mean[name] = torch.stack(tensors).amax(dim=0)
    return mean


def _state(model: nn.Module) -> State:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
