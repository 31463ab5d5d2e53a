"""The optimizer of a system: one group of weights per stage, each with its own rate."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer

from conegrad_core.pipeline.stage import Rates, Stage
from conegrad_core.settings import Config, setting
from conegrad_training.aliases import STAGE_RATES
from conegrad_training.engine.distributed import average_gradients
from conegrad_training.systems.system import TrainableSystem
from conegrad_training.systems.system_config import by_stage, check_stages


@dataclass(frozen=True)
class OptimizerConfig(Config):
    """Settings of the optimizer (AdamW; without decay it is Adam).

    A stage has rates of its own; these replace them.
    """

    rates: tuple[str, ...] = setting(
        (),
        "Learning rates with the end loss; empty: those of the stages",
        option="--learning-rates",
        metavar="STAGE=RATE",
        aliases=("rates",),
    )
    supervised_rates: tuple[str, ...] = setting(
        (),
        "Learning rates with the supervised loss; empty: those of the stages",
        option="--supervised-learning-rates",
        metavar="STAGE=RATE",
        aliases=("supervised_rates",),
    )
    weight_decays: tuple[str, ...] = setting(
        (),
        "Decays of the weights (AdamW); empty: those of the stages",
        metavar="STAGE=DECAY",
    )
    max_grad_norm: float = setting(5.0, "Largest norm of the gradient of each stage", low=1e-6)

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("rates", "supervised_rates", "weight_decays"):
            self.numbers(field)

    def numbers(self, field: str) -> dict[str, float]:
        """Numbers of a field by stage.

        Raises:
            SettingError: for a word of another form, or a number below 0.
        """
        found: dict[str, float] = {}
        for stage, word in by_stage(self, field).items():
            try:
                found[stage] = float(word)
            except ValueError:
                found[stage] = float("nan")
            if not 0 <= found[stage] < float("inf"):
                raise self.refusal(field, f"has {stage}={word}, expected a number from 0 on")
        return found


@dataclass(frozen=True)
class StageOptimizerConfig(Config):
    """Settings of the optimizer of one stage that learns by itself from the end loss."""

    rate: float = setting(
        -1.0,
        "Learning rate; below 0: that of the stage",
        low=-1.0,
        aliases=STAGE_RATES,
    )
    weight_decay: float = setting(
        -1.0, "Decay of the weights; below 0: that of the stage", low=-1.0
    )
    max_grad_norm: float = setting(5.0, "Largest norm of the gradient of a step", low=1e-6)


def stage_rates(stages: Mapping[str, type[Stage]], config: OptimizerConfig) -> dict[str, Rates]:
    """Rates of each stage that learns: its own, replaced by those of the settings.

    Args:
        stages: class of each stage.
        config: settings.

    Raises:
        SettingError: naming a stage that does not exist or does not learn.
    """
    rates = {name: stage.rates for name, stage in stages.items() if stage.learns}
    fields = {"rates": "end", "supervised_rates": "supervised", "weight_decays": "weight_decay"}
    for field, of_rates in fields.items():
        numbers = config.numbers(field)
        check_stages(config, field, numbers, rates)
        for name, number in numbers.items():
            rates[name] = replace(rates[name], **{of_rates: number})
    return rates


def system_rates(system: TrainableSystem, config: OptimizerConfig) -> dict[str, Rates]:
    """As :func:`stage_rates`, for the stages of a system."""
    return stage_rates({name: type(stage) for name, stage in system.stages.items()}, config)


def make_optimizer(system: TrainableSystem, config: OptimizerConfig) -> AdamW:
    """Optimizer with a group per stage; a stage without gradient is not touched by a step."""
    rates = system_rates(system, config)
    return AdamW([_group(stage, rates[name]) for name, stage in system.stages.items()])


def make_stage_optimizer(stage: Stage, config: StageOptimizerConfig) -> AdamW:
    """Optimizer of one stage alone; it does to the stage what that of the system does."""
    rates = stage.rates
    if config.rate >= 0:
        rates = replace(rates, end=config.rate)
    if config.weight_decay >= 0:
        rates = replace(rates, weight_decay=config.weight_decay)
    return AdamW([_group(stage, rates)])


def set_rates(
    optimizer: Optimizer, rates: Mapping[str, Rates], share: float, supervised: Collection[str]
) -> None:
    """Set the rates of all stages to a share of their own.

    Args:
        optimizer: of :func:`make_optimizer`.
        rates: of every stage.
        share: of them that is set.
        supervised: stages that learn from losses of their own; the others learn from the end loss.
    """
    for (name, of_stage), group in zip(rates.items(), optimizer.param_groups, strict=True):
        rate = of_stage.supervised if name in supervised else of_stage.end
        group["lr"] = share * rate


def _group(stage: Stage, rates: Rates) -> dict[str, Any]:
    return {
        "params": list(stage.parameters()),
        "lr": rates.end,
        "weight_decay": rates.weight_decay,
    }


def clipped_norms(system: TrainableSystem, max_norm: float) -> dict[str, float]:
    """Clip the gradient of each stage that has one; returns the norms before, NaN or inf kept.

    Processes that train together get the gradient of their joint batch first.
    """
    average_gradients(system.parameters())
    norms = {}
    for name, stage in system.stages.items():
        learning = [weight for weight in stage.parameters() if weight.grad is not None]
        if learning:
            norm: Tensor = clip_grad_norm_(learning, max_norm)
            norms[name] = float(norm)
    return norms


def statistics(system: TrainableSystem) -> list[Tensor]:
    """Copies of all buffers that change in a forward pass (batch-norm statistics)."""
    return [buffer.clone() for buffer in system.buffers()]


@torch.no_grad()
def restore_statistics(system: TrainableSystem, kept: list[Tensor]) -> None:
    """Undo what a refused step did to the buffers."""
    for buffer, before in zip(system.buffers(), kept, strict=True):
        buffer.copy_(before)
