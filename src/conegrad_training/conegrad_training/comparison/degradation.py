"""Reproducible degradations of one part of a trained system."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from conegrad_training.systems.system import CAMERA, LIDAR, TrainableSystem


@torch.no_grad()
def lower_logits(system: TrainableSystem, part: str, amount: float) -> None:
    """Lower every logit of a network by a constant, so that no detection passes its threshold.

    Args:
        system: is changed.
        part: ``camera`` (class logits of all anchors) or ``lidar`` (logits of all beams).
        amount: by which the biases of the last layers are lowered.

    Raises:
        ValueError: for another part.
    """
    for layer in _last_layers(system, part):
        if layer.bias is None:
            raise ValueError(f"the last layer of {part} has no bias, expected one to lower")
        layer.bias -= amount


@torch.no_grad()
def add_weight_noise(system: TrainableSystem, part: str, strength: float, seed: int) -> None:
    """Add Gaussian noise to the weights of all convolutions of a network.

    Models an undertrained network. Biases and batch norm stay as they are.

    Args:
        system: is changed.
        part: whose weights change, ``camera`` or ``lidar``.
        strength: standard deviation of the noise relative to that of each tensor.
        seed: of the noise.

    Raises:
        ValueError: for another part.
    """
    if part not in (CAMERA, LIDAR):
        raise ValueError(f"part is {part!r}, expected {CAMERA!r} or {LIDAR!r}")
    generator = torch.Generator().manual_seed(seed)
    for weight in system.parts[part].parameters():
        if weight.dim() > 1:  # convolutions; gains and biases stay
            noise = torch.randn(weight.shape, generator=generator).to(weight)
            weight.add_(strength * weight.std() * noise)


def degrade(system: TrainableSystem, settings: Mapping[str, Any]) -> None:
    """Apply a degradation: ``kind`` names a function of this module, the rest are its arguments.

    Raises:
        ValueError: for an unknown kind.
    """
    known: dict[str, Any] = {"lower_logits": lower_logits, "add_weight_noise": add_weight_noise}
    arguments = dict(settings)
    kind = arguments.pop("kind")
    if kind not in known:
        raise ValueError(f"kind is {kind!r}, expected one of {tuple(known)}")
    known[kind](system, **arguments)


def _last_layers(system: TrainableSystem, part: str) -> list[Any]:
    if part == LIDAR:
        network: Any = system.perception.segmenter.network
        return [network.head]
    if part == CAMERA:
        detector: Any = system.network
        branches: nn.ModuleList = detector.model[-1].cv3
        return [branch[-1] for branch in branches]  # type: ignore[index]
    raise ValueError(f"part is {part!r}, expected {CAMERA!r} or {LIDAR!r}")
