"""Reproducible degradations of one network of a trained system."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from conegrad_core.camera.stage import DetectorStage
from conegrad_core.lidar.stage import SegmenterStage
from conegrad_training.systems.system import TrainableSystem


@torch.no_grad()
def lower_logits(system: TrainableSystem, stage: str, amount: float) -> None:
    """Lower every logit of a network by a constant, so that no detection passes its threshold.

    Args:
        system: is changed.
        stage: a detector (class logits of all anchors) or a segmenter (logits of all beams).
        amount: by which the biases of the last layers are lowered.

    Raises:
        ValueError: for another stage.
    """
    for layer in _last_layers(system, stage):
        if layer.bias is None:
            raise ValueError(f"the last layer of {stage} has no bias, expected one to lower")
        layer.bias -= amount


@torch.no_grad()
def add_weight_noise(system: TrainableSystem, stage: str, strength: float, seed: int) -> None:
    """Add Gaussian noise to the weights of all convolutions of a network.

    Models an undertrained network. Biases and batch norm stay as they are.

    Args:
        system: is changed.
        stage: network whose weights change.
        strength: standard deviation of the noise relative to that of each tensor.
        seed: of the noise.

    Raises:
        ValueError: for another stage.
    """
    networks = system.pipeline.networks
    if stage not in networks:
        raise ValueError(f"stage is {stage!r}, expected one of {', '.join(networks)}")
    generator = torch.Generator().manual_seed(seed)
    for weight in system.stages[stage].parameters():
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


def _last_layers(system: TrainableSystem, stage: str) -> list[Any]:
    found = system.stages.get(stage)
    if isinstance(found, SegmenterStage):
        return [found.module.network.head]
    if isinstance(found, DetectorStage):
        engine: Any = found.module.engine
        branches: nn.ModuleList = engine.network.model[-1].cv3
        return [branch[-1] for branch in branches]  # type: ignore[index]
    raise ValueError(f"stage is {stage!r}, expected a detector or a segmenter")
