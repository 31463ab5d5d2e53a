"""Operations of a module recorded once, to run without Python in between."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

WARM_UP_RUNS = 2  # in which torch optimises a recording


def record(module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    """The forward of a module as a graph of the same operations, without gradient.

    Nothing in the module may depend on values of the inputs; their first dimension may change.

    Args:
        module: from plain tensors to plain tensors; its weights become constants.
        inputs: an example.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about shapes, which are checked, and the tracer's age
        graph = torch.jit.freeze(torch.jit.trace(module.eval(), inputs, check_trace=False))
        for _ in range(WARM_UP_RUNS):
            graph(*inputs)
        return graph.forward
