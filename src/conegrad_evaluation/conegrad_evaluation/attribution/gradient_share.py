"""Share of each stage in the gradient of each term of the end loss."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from conegrad_core.losses import TERMS, EndLoss, EndLossConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import System


def gradient_shares(
    system: System,
    samples: Sequence[Sample],
    outputs: dict[str, list[Any]],
    config: EndLossConfig | None = None,
) -> dict[str, dict[str, float]]:
    """What a small change of the outputs of each network would do to each term of the end loss.

    The gradient of every tensor is measured in its own standard deviation over all samples, so
    that pixels and logits compare. The networks do not run: their outputs are given.

    Args:
        system: whose joining stages run with gradient.
        samples: a few are enough.
        outputs: values of the ports of :attr:`System.end_networks`, one per sample.
        config: of the end loss.

    Returns:
        By term, by network: shares that sum to 1 over networks; terms without gradient are left
        out.
    """
    criterion = EndLoss(config or EndLossConfig())
    sizes: dict[str, dict[str, float]] = {term: {} for term in TERMS}
    leaves: dict[str, list[tuple[Tensor, ...]]] = {}
    given: dict[str, list[Any]] = {}
    for port, values in outputs.items():
        kind = system.pipeline.ports[port]
        leaves[port] = [
            tuple(t.detach().clone().requires_grad_() for t in kind.tensors(value))
            for value in values
        ]
        given[port] = [
            kind.with_tensors(value, tensors)
            for value, tensors in zip(values, leaves[port], strict=True)
        ]
    with torch.enable_grad():
        cones = system.join(samples, given)
        losses = [criterion(c, system.truth(s)) for c, s in zip(cones, samples, strict=True)]
    for term in TERMS:
        total = torch.stack([loss[term] for loss in losses]).mean()
        for port, of_port in leaves.items():
            stage = system.writer_of(port)
            sizes[term][stage] = sizes[term].get(stage, 0.0) + _size(total, of_port)
    return {term: _shares(found) for term, found in sizes.items() if sum(found.values()) > 0}


def _size(total: Tensor, leaves: Sequence[tuple[Tensor, ...]]) -> float:
    """Length of the gradient of a port, each of its tensors in its own deviation."""
    flat = [tensor for of_sample in leaves for tensor in of_sample]
    if not flat or not total.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(total, flat, retain_graph=True, allow_unused=True)
    count, square = len(leaves[0]), 0.0
    for place in range(count):
        values = [of_sample[place] for of_sample in leaves]
        entries = torch.cat([value.detach().flatten() for value in values])
        entries = entries[entries.isfinite()]
        spread = float(entries.std()) if len(entries) > 1 else 0.0
        for row in range(len(leaves)):
            gradient = gradients[row * count + place]
            if gradient is not None:
                square += spread**2 * float(gradient.nan_to_num().square().sum())
    return math.sqrt(square)


def _shares(sizes: dict[str, float]) -> dict[str, float]:
    total = sum(sizes.values())
    return {name: size / total for name, size in sizes.items()}
