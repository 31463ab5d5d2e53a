"""The training loop: a generator that a node, a command line and a test drive alike."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from conegrad_core.cones import LABEL_VALUES_PER_CONE, Cones, TrueCones
from conegrad_core.losses import EndLoss, EndLossConfig, match_cones
from conegrad_data.errors import TrainingError
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import Outputs
from conegrad_training.data.adversarial_training import AdversarialTraining
from conegrad_training.engine.distributed import averaged
from conegrad_training.engine.optimizers import clipped_norms, restore_statistics, statistics
from conegrad_training.engine.shared_copies import SharedCopies
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.attributed_turns import SampleObserver
from conegrad_training.patterns.patterns import Pattern
from conegrad_training.patterns.update import BRANCHES, END, NONE, SUPERVISED, Update
from conegrad_training.supervised.supervised_losses import (
    has_inputs,
    label_values,
    stage_losses,
    supervised_losses,
)
from conegrad_training.systems.system import TrainableSystem, follow_statistics

MAX_GRAD_NORM = 5.0
REFUSED = "expected finite values; the step was refused and the weights are unchanged"


class StepReport(NamedTuple):
    """One step that was done.

    Attributes:
        step: its number, from 0.
        losses: value of each term, mean over the batch.
        norms: length of the gradient of each stage that learned, before clipping.
        stages: that learned.
        seconds: it took, without waiting for samples [s].
    """

    step: int
    losses: dict[str, float]
    norms: dict[str, float]
    stages: frozenset[str]
    seconds: float


def train(
    system: TrainableSystem,
    batches: Iterable[Sequence[Sample]],
    pattern: Pattern,
    criterion: EndLoss,
    optimizer: Optimizer,
    *,
    cost: TrainingCost,
    max_grad_norm: float = MAX_GRAD_NORM,
    adapt_statistics: bool = False,
    copies: SharedCopies | None = None,
    adversary: AdversarialTraining | None = None,
) -> Iterator[StepReport]:
    """Make one optimizer step per batch.

    The system is ready to be saved whenever the generator has yielded: weights, optimizer,
    pattern and cost belong together.

    Args:
        system: learns in place.
        batches: samples of each step.
        pattern: decides which stages learn.
        criterion: the end loss.
        optimizer: of :func:`conegrad_training.engine.optimizers.make_optimizer`.
        cost: counts on from its steps, which also number the steps here.
        max_grad_norm: longest gradient of each stage.
        adapt_statistics: batch-norm statistics of learning stages follow the data.
        copies: of the shared model of a fork, for a pattern that trains them.
        adversary: attacks the samples of steps with a loss; None: they stay as they are.

    Raises:
        TrainingError: if a loss or gradient is not finite; the step is refused, the weights and
            statistics stay as they were.
    """
    for samples in batches:
        started = time.perf_counter()
        step = cost.steps
        update = pattern.update(step)
        if copies is not None:
            copies.enter(update.copy)
        kept = statistics(system)
        try:
            prepare(system, update, adapt_statistics)
            if adversary is not None and update.loss != NONE:
                samples = adversary.attacked(system, samples, step)
            losses = _losses(system, samples, update, criterion)
            norms = _backward(system, samples, losses, optimizer, criterion, max_grad_norm)
        except TrainingError:
            restore_statistics(system, kept)
            optimizer.zero_grad()
            raise
        optimizer.step()
        optimizer.zero_grad()
        if copies is not None and update.averages:
            copies.average()
        seconds = time.perf_counter() - started
        values = averaged(
            {name: float(loss.detach().mean()) for name, loss in losses.terms.items()}
        )
        pattern.observe(step, values)
        if isinstance(pattern, SampleObserver):
            pattern.observe_samples(step, system, samples, criterion)
        count_step(cost, system, samples, update, criterion, seconds)
        yield StepReport(step, values, norms, update.stages, seconds)


def prepare(system: TrainableSystem, update: Update, adapt_statistics: bool) -> None:
    """Freeze what does not learn in a step, thaw what does."""
    system.train_only(update.stages, adapt_statistics=adapt_statistics, waits=update.waits)
    for name in update.adapts:
        follow_statistics(system.stages[name].train(), follows=True)


def end_losses(
    system: TrainableSystem, samples: Sequence[Sample], criterion: EndLoss
) -> dict[str, Tensor]:
    """Terms ``(B,)`` of the end loss of each sample.

    Raises:
        TrainingError: if a term is not finite, naming bag, frame and term.
    """
    return joined_losses(system, samples, system.outputs(samples), criterion)


def joined_losses(
    system: TrainableSystem, samples: Sequence[Sample], outputs: Outputs, criterion: EndLoss
) -> dict[str, Tensor]:
    """As :func:`end_losses`, from the outputs of the networks.

    Raises:
        TrainingError: if a term is not finite, naming bag, frame and term.
    """
    found = _joined(system, samples, outputs)
    terms = [
        _terms(sample, cones, system.truth(sample), criterion)
        for sample, cones in zip(samples, found, strict=True)
    ]
    return {name: torch.stack([of_sample[name] for of_sample in terms]) for name in terms[0]}


def _joined(system: TrainableSystem, samples: Sequence[Sample], outputs: Outputs) -> list[Cones]:
    """Cones of each sample.

    Raises:
        TrainingError: naming the sample with a calibration or motion that is refused.
    """
    try:
        return system.join(samples, outputs)
    except ValueError as of_batch:
        for place, sample in enumerate(samples):
            try:
                system.join([sample], {port: [v[place]] for port, v in outputs.items()})
            except ValueError as error:
                raise TrainingError(f"{sample.key}: {error}; {REFUSED}") from error
        raise TrainingError(f"one of [{_names(samples)}]: {of_batch}; {REFUSED}") from of_batch


def _terms(sample: Sample, cones: Cones, truth: TrueCones, criterion: EndLoss) -> dict[str, Tensor]:
    """Finite terms of one sample."""
    for name, values in _inputs_of_terms(cones, truth).items():
        if not bool(values.isfinite().all()):
            raise TrainingError(
                f"{sample.key}: an input of the term {name} is not finite; {REFUSED}"
            )
    terms: dict[str, Tensor] = criterion(cones, truth)
    for name, term in terms.items():
        if not bool(term.isfinite()):
            raise TrainingError(f"{sample.key}: the term {name} is {float(term)}; {REFUSED}")
    return terms


def _inputs_of_terms(cones: Cones, truth: TrueCones) -> dict[str, Tensor]:
    """Values that each term of the end loss depends on."""
    return {
        "position": torch.cat([cones.positions.detach(), truth.positions]),
        "colour": cones.colours.detach(),
        "existence": cones.existence_logits.detach(),
        "covariance": cones.covariances.detach(),
    }


class Losses(NamedTuple):
    """Losses of a step.

    Attributes:
        terms: by name: a value, or one per sample.
        weights: of terms in what is minimised; 1 where none is given.
    """

    terms: dict[str, Tensor]
    weights: dict[str, float]

    def total(self) -> Tensor:
        """What is minimised; terms of weight 0 leave no trace in its gradient."""
        weights = {name: self.weights.get(name, 1.0) for name in self.terms}
        counted = {name: loss.mean() for name, loss in self.terms.items() if weights[name]}
        return torch.stack([weights[name] * loss for name, loss in counted.items()]).sum()


def _losses(
    system: TrainableSystem,
    samples: Sequence[Sample],
    update: Update,
    criterion: EndLoss,
) -> Losses:
    if update.loss == END:
        return Losses(end_losses(system, samples, criterion), {})
    if update.loss == NONE:
        with torch.no_grad():
            system.outputs(samples, update.adapts)  # only the statistics follow
        return Losses({}, {})
    if update.loss == BRANCHES:
        losses = _branch_losses(system, samples, update, criterion)
    else:
        losses = Losses(supervised_losses(system, samples, update.stages), {})
    for name, loss in losses.terms.items():
        if not bool(loss.isfinite().all()):
            raise TrainingError(
                f"one of [{_names(samples)}]: the loss {name} is {float(loss.mean())}; {REFUSED}"
            )
    return losses


def _branch_losses(
    system: TrainableSystem, samples: Sequence[Sample], update: Update, criterion: EndLoss
) -> Losses:
    """Losses of branches of a fork, with one forward of each stage for all of them."""
    end_ports = system.ports_of(system.end_networks) if update.terms else ()
    values = system.values(samples, (*end_ports, *system.ports_read_by(update.supervised)))
    terms: dict[str, Tensor] = {}
    weights: dict[str, float] = {}
    if update.terms:
        outputs = {port: values[port] for port in end_ports}
        terms = joined_losses(system, samples, outputs, criterion)
        weights = {name: update.terms.get(name, 0.0) for name in terms}
    for stage, weight in update.supervised.items():
        for term, loss in stage_losses(system, stage, samples, values).items():
            name = f"{stage}_{term}" if term in terms else term
            terms[name], weights[name] = loss, weight
    return Losses(terms, weights)


def _backward(
    system: TrainableSystem,
    samples: Sequence[Sample],
    losses: Losses,
    optimizer: Optimizer,
    criterion: EndLoss,
    max_grad_norm: float,
) -> dict[str, float]:
    """Gradients of the summed terms, clipped; norms of each stage."""
    optimizer.zero_grad()
    if not losses.terms:
        return {}
    losses.total().backward()
    norms = clipped_norms(system, max_grad_norm)
    for stage, norm in norms.items():
        if not math.isfinite(norm):
            source = _source_of_gradient(system, samples, losses.terms, stage, criterion)
            raise TrainingError(
                f"{source}: its gradient for the stage {stage} is not finite; {REFUSED}"
            )
    return norms


def _source_of_gradient(
    system: TrainableSystem,
    samples: Sequence[Sample],
    losses: Mapping[str, Tensor],
    stage: str,
    criterion: EndLoss,
) -> str:
    """Sample and term with a gradient that is not finite, found one by one."""
    weights = [weight for weight in system.stages[stage].parameters() if weight.requires_grad]
    for sample in samples:
        for name in losses:
            term = criterion(system([sample])[0], system.truth(sample)).get(name)
            if term is None or not term.requires_grad:
                continue
            gradients = torch.autograd.grad(term, weights, allow_unused=True)
            if not all(bool(g.isfinite().all()) for g in gradients if g is not None):
                return f"{sample.key}, term {name} of the end loss"
    return f"one of [{_names(samples)}]"


def _names(samples: Sequence[Sample]) -> str:
    return "; ".join(str(sample.key) for sample in samples)


def count_step(
    cost: TrainingCost,
    system: TrainableSystem,
    samples: Sequence[Sample],
    update: Update,
    criterion: EndLoss,
    seconds: float,
) -> None:
    """Add a step and the labels that it was the first to need."""
    cost.add_step(len(samples), stages_that_ran(system, update), update.stages, seconds)
    for sample in samples:
        key = str(sample.key)
        if update.uses_end_loss and not cost.knows(END, key):
            values = LABEL_VALUES_PER_CONE * counted_cones(system.truth(sample), criterion)
            cost.add_labels(END, key, values)
        for stage in update.supervised_stages:
            if has_inputs(system, stage, sample) and not cost.knows(stage, key):
                cost.add_labels(stage, key, label_values(system, stage, sample))


def stages_that_ran(system: TrainableSystem, update: Update) -> list[str]:
    """Stages that went forward in a step; twice where one also ran for what others read."""
    if update.loss == SUPERVISED:
        return [*update.stages, *system.learned_before(update.stages)]
    ran = {*update.adapts, *update.supervised, *system.learned_before(update.supervised)}
    if update.uses_end_loss:
        ran |= {*system.end_stages}
    return [name for name in system.stages if name in ran]


def counted_cones(truth: TrueCones, criterion: EndLoss) -> int:
    """True cones that the end loss counts."""
    return int(counted_truth(truth, criterion.config).sum())


def counted_truth(truth: TrueCones, config: EndLossConfig) -> Tensor:
    """``(N,)`` mask of the true cones that the end loss counts."""
    like = truth.positions.float()
    empty = Cones(
        like.new_zeros(0, 2),
        like.new_zeros(0, 2, 2),
        like.new_zeros(0, 5),
        like.new_zeros(0),
        like.new_zeros(0, dtype=torch.int64),
    )
    return match_cones(empty, truth, config).counted
