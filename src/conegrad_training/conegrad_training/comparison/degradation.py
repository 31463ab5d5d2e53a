"""Reproducible ways to spoil a part of a trained system."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from conegrad_training.systems.system import CAMERA, LIDAR, TrainableSystem


@torch.no_grad()
def silence(system: TrainableSystem, part: str, by: float) -> None:
    """Lower every logit of a network: it says "no cone" everywhere, confidently.

    Args:
        system: is changed.
        part: ``camera`` (class logits of all anchors) or ``lidar`` (logits of all beams).
        by: lowers the biases of the last layers.

    Raises:
        ValueError: for another part.
    """
    for layer in _last_layers(system, part):
        if layer.bias is None:
            raise ValueError(f"the last layer of {part} has no bias, expected one to lower")
        layer.bias -= by


@torch.no_grad()
def disturb(system: TrainableSystem, part: str, strength: float, seed: int) -> None:
    """Add noise to the weights of all layers: what was learned last and finest goes first.

    A stand-in for weights of too short a training. Statistics of batch norm stay.

    Args:
        system: is changed.
        part: whose weights are disturbed.
        strength: standard deviation of the noise relative to that of each tensor.
        seed: of the noise.

    Raises:
        ValueError: for a part that is no network.
    """
    if part not in (CAMERA, LIDAR):
        raise ValueError(f"part is {part!r}, expected {CAMERA!r} or {LIDAR!r}")
    generator = torch.Generator().manual_seed(seed)
    for weight in system.parts[part].parameters():
        if weight.dim() > 1:  # convolutions; gains and biases stay
            noise = torch.randn(weight.shape, generator=generator).to(weight)
            weight.add_(strength * weight.std() * noise)


def weaken(system: TrainableSystem, settings: Mapping[str, Any]) -> None:
    """Apply one of the functions here: ``how`` names it, the rest are its arguments.

    Raises:
        ValueError: for an unknown name.
    """
    known: dict[str, Any] = {"silence": silence, "disturb": disturb}
    arguments = dict(settings)
    how = arguments.pop("how")
    if how not in known:
        raise ValueError(f"how is {how!r}, expected one of {tuple(known)}")
    known[how](system, **arguments)


def _last_layers(system: TrainableSystem, part: str) -> list[Any]:
    if part == LIDAR:
        network: Any = system.perception.segmenter.network
        return [network.head]
    if part == CAMERA:
        detector: Any = system.network
        branches: nn.ModuleList = detector.model[-1].cv3
        return [branch[-1] for branch in branches]  # type: ignore[index]
    raise ValueError(f"part is {part!r}, expected {CAMERA!r} or {LIDAR!r}")
