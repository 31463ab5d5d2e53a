"""The optimizer of a system: one group of weights per part, each with its own rate."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer

from conegrad_core.settings import Config, setting
from conegrad_training.engine.distributed import average_gradients
from conegrad_training.patterns.patterns import END, OWN
from conegrad_training.systems.system import CAMERA, FUSION, LIDAR, PARTS, TrainableSystem


@dataclass(frozen=True)
class OptimizerConfig(Config):
    """Settings of the optimizers (AdamW for the networks, Adam for the scalars)."""

    camera_rate: float = setting(2e-4, "Learning rate of the detector, end loss", low=0.0)
    own_camera_rate: float = setting(5e-4, "Likewise, own loss (individual)", low=0.0)
    lidar_rate: float = setting(1e-3, "Learning rate of the segmenter", low=0.0)
    fusion_rate: float = setting(5e-3, "Learning rate of the fusion's scalars", low=0.0)
    weight_decay: float = setting(0.01, "Decay of the networks' weights", low=0.0)
    max_grad_norm: float = setting(5.0, "Longest gradient of each part", low=1e-6)


def make_optimizer(system: TrainableSystem, config: OptimizerConfig) -> AdamW:
    """Optimizer with a group per part; a part without gradient is not touched by a step.

    Without decay AdamW is Adam, so one optimizer serves all parts.
    """
    return AdamW([_group(part, module, config) for part, module in system.parts.items()])


def make_part_optimizer(part: str, module: nn.Module, config: OptimizerConfig) -> AdamW:
    """Optimizer of one part alone; it does to the part what that of the system does."""
    return AdamW([_group(part, module, config)])


def set_rates(optimizer: Optimizer, config: OptimizerConfig, share: float, loss: str) -> None:
    """Set the rates of all parts to a share of those that the settings have for a loss."""
    for part, group in zip(PARTS, optimizer.param_groups, strict=True):
        group["lr"] = share * _rate(part, config, loss)


def _rate(part: str, config: OptimizerConfig, loss: str = END) -> float:
    camera_rate = config.own_camera_rate if loss == OWN else config.camera_rate
    return {CAMERA: camera_rate, LIDAR: config.lidar_rate, FUSION: config.fusion_rate}[part]


def _group(part: str, module: nn.Module, config: OptimizerConfig) -> dict[str, Any]:
    return {
        "params": list(module.parameters()),
        "lr": _rate(part, config),
        "weight_decay": 0.0 if part == FUSION else config.weight_decay,
    }


def clipped_norms(system: TrainableSystem, max_norm: float) -> dict[str, float]:
    """Clip the gradient of each part that has one; returns the norms before, NaN or inf kept.

    Processes that train together get the gradient of their joint batch first.
    """
    average_gradients(system.parameters())
    norms = {}
    for part, module in system.parts.items():
        learning = [weight for weight in module.parameters() if weight.grad is not None]
        if learning:
            norm: Tensor = clip_grad_norm_(learning, max_norm)
            norms[part] = float(norm)
    return norms


def statistics(system: TrainableSystem) -> list[Tensor]:
    """Copies of all buffers that change in a forward pass (batch-norm statistics)."""
    return [buffer.clone() for buffer in system.buffers()]


@torch.no_grad()
def restore_statistics(system: TrainableSystem, kept: list[Tensor]) -> None:
    """Undo what a refused step did to the buffers."""
    for buffer, before in zip(system.buffers(), kept, strict=True):
        buffer.copy_(before)
