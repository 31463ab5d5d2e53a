"""The training loop over networks that run elsewhere."""

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch.optim import Optimizer

from conegrad_core.losses import EndLoss
from conegrad_data.errors import TrainingError
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import Outputs
from conegrad_training.engine.loop import REFUSED, StepReport, count_step, joined_losses, prepare
from conegrad_training.engine.optimizers import clipped_norms
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import Pattern
from conegrad_training.patterns.update import END
from conegrad_training.systems.system import TrainableSystem


class RemoteNetworks(Protocol):
    """The networks of a pipeline in other processes."""

    def outputs(self, samples: Sequence[Sample]) -> Outputs:
        """Values of each port that they write; leaves that take a gradient."""

    def send_gradients(self, outputs: Outputs, step: int, stages: Collection[str]) -> None:
        """Let stages learn from the gradients of the outputs."""


def train_over_topics(
    system: TrainableSystem,
    networks: RemoteNetworks,
    batches: Iterable[Sequence[Sample]],
    pattern: Pattern,
    criterion: EndLoss,
    optimizer: Optimizer,
    *,
    cost: TrainingCost,
    max_grad_norm: float,
) -> Iterator[StepReport]:
    """As :func:`conegrad_training.engine.loop.train`, with the networks behind topics.

    Args:
        system: what joins its networks learns in place; the networks are not used.
        networks: learn where they are, with optimizers of their own.
        batches: samples of each step.
        pattern: decides which stages learn; of the end loss.
        criterion: the end loss.
        optimizer: of the system; only stages that join get gradients.
        cost: counts on from its steps, which also number the steps here.
        max_grad_norm: longest gradient of each stage.

    Raises:
        TrainingError: if a loss or gradient is not finite, before anything has learned from it; or
            if a network is lost.
    """
    for samples in batches:
        started = time.perf_counter()
        step = cost.steps
        update = pattern.update(step)
        if update.loss != END:
            raise TrainingError(
                f"step {step}: the pattern learns from the loss {update.loss!r}, but only the end "
                "loss goes over topics"
            )
        prepare(system, update, adapt_statistics=False)
        outputs = networks.outputs(samples)
        losses = joined_losses(system, samples, outputs, criterion)
        optimizer.zero_grad()
        torch.stack([loss.mean() for loss in losses.values()]).sum().backward()
        norms = clipped_norms(system, max_grad_norm)
        _check(system, samples, outputs, norms)
        networks.send_gradients(outputs, step, update.stages.intersection(system.end_networks))
        optimizer.step()
        values = {name: float(loss.detach().mean()) for name, loss in losses.items()}
        pattern.observe(step, values)
        seconds = time.perf_counter() - started
        count_step(cost, system, samples, update, criterion, seconds)
        yield StepReport(step, values, norms, update.stages, seconds)


def _check(
    system: TrainableSystem, samples: Sequence[Sample], outputs: Outputs, norms: dict[str, float]
) -> None:
    """Refuse gradients that are not finite while nothing has learned from them yet."""
    for port, values in outputs.items():
        for sample, value in zip(samples, values, strict=True):
            leaves = system.pipeline.ports[port].tensors(value)
            gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
            if not all(bool(gradient.isfinite().all()) for gradient in gradients):
                raise TrainingError(
                    f"{sample.key}: a gradient of its {port} is not finite; {REFUSED}"
                )
    for stage, norm in norms.items():
        if not math.isfinite(norm):
            raise TrainingError(f"the gradient of the stage {stage} is not finite; {REFUSED}")
