"""The training loop over networks that run elsewhere."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch.optim import Optimizer

from conegrad_core.losses import EndLoss
from conegrad_data.errors import TrainingError
from conegrad_training.data.sample import Sample
from conegrad_training.engine.loop import REFUSED, StepReport, count_step, fused_losses, prepare
from conegrad_training.engine.optimizers import clipped_norms
from conegrad_training.engine.training_cost import Budget
from conegrad_training.patterns.patterns import END, Pattern
from conegrad_training.systems.system import FUSION, PartOutputs, TrainableSystem


class RemoteNetworks(Protocol):
    """Detector and segmenter in other processes."""

    def outputs(self, samples: Sequence[Sample]) -> list[PartOutputs]:
        """What they say about each sample; leaves that take a gradient."""

    def send_gradients(
        self, outputs: Sequence[PartOutputs], step: int, parts: Collection[str]
    ) -> None:
        """Let the parts learn from the gradients of the outputs."""


def train_over_topics(
    system: TrainableSystem,
    networks: RemoteNetworks,
    batches: Iterable[Sequence[Sample]],
    pattern: Pattern,
    criterion: EndLoss,
    optimizer: Optimizer,
    *,
    budget: Budget,
    max_grad_norm: float,
) -> Iterator[StepReport]:
    """As :func:`conegrad_training.engine.loop.train`, with the two networks behind topics.

    Args:
        system: its fusion learns in place; its networks are not used.
        networks: learn where they are, with optimizers of their own.
        batches: samples of each step.
        pattern: decides which parts learn; of the end loss.
        criterion: the end loss.
        optimizer: of the system; only the fusion gets gradients.
        budget: counts on from its steps, which also number the steps here.
        max_grad_norm: longest gradient of the fusion.

    Raises:
        TrainingError: if a loss or gradient is not finite, before anything has learned from it; or
            if a network is lost.
    """
    for samples in batches:
        started = time.perf_counter()
        step = budget.steps
        update = pattern.update(step)
        if update.loss != END:
            raise TrainingError(
                f"step {step}: the pattern learns from the loss {update.loss!r}, but only the end "
                "loss goes over topics"
            )
        prepare(system, update, adapt_statistics=False)
        outputs = networks.outputs(samples)
        losses = fused_losses(system, samples, outputs, criterion)
        optimizer.zero_grad()
        torch.stack([loss.mean() for loss in losses.values()]).sum().backward()
        norms = clipped_norms(system, max_grad_norm)
        _check(samples, outputs, norms)
        networks.send_gradients(outputs, step, update.parts - {FUSION})
        optimizer.step()
        values = {name: float(loss.detach().mean()) for name, loss in losses.items()}
        pattern.observe(step, values)
        seconds = time.perf_counter() - started
        count_step(budget, samples, update, criterion, seconds)
        yield StepReport(step, values, norms, update.parts, seconds)


def _check(
    samples: Sequence[Sample], outputs: Sequence[PartOutputs], norms: dict[str, float]
) -> None:
    """Refuse gradients that are not finite while nothing has learned from them yet."""
    for sample, output in zip(samples, outputs, strict=True):
        leaves = (*output.detections, output.segmented.logits)
        gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
        if not all(bool(gradient.isfinite().all()) for gradient in gradients):
            raise TrainingError(f"{sample.key}: a gradient of its outputs is not finite; {REFUSED}")
    if not all(torch.tensor(list(norms.values())).isfinite()):
        raise TrainingError(f"the gradient of the fusion is not finite; {REFUSED}")
