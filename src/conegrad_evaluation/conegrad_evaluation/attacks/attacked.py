"""Carries threats out: samples that are changed so that the end loss of a system grows."""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.registry import port_type
from conegrad_evaluation.attacks.perturbation import Losses, Perturbation
from conegrad_evaluation.attacks.threat import Threat
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system import Outputs, System

TRIES = 48  # values of a port that are tried without gradient
LONGEST_STEP = 1.25  # of the radius: for one step from a random start (Wong et al., ICLR 2020)
WAY = 2.5  # of the radius, that all steps together can go (Madry et al., ICLR 2018)


class Attacked(NamedTuple):
    """Samples under a threat.

    Attributes:
        samples: changed.
        losses: ``(steps + 1, B)`` end loss of each sample at each step of the search, before its
            first and after its last one, as far as it was computed.
    """

    samples: list[Sample]
    losses: Tensor


def shared_parts(threat: Threat, seed: int, bag: str) -> dict[str, Any]:
    """What the samples of a drive have in common under a threat, at random, by attack."""
    return {
        chosen.name: chosen.attack.share(chosen.budget, _draws(seed, chosen.name, bag, 0))
        for chosen in threat.attacks
        if chosen.attack.share is not None
    }


def attacked(
    system: System,
    samples: Sequence[Sample],
    threat: Threat,
    criterion: EndLoss,
    *,
    steps: int,
    tries: int = TRIES,
    share: float | None = None,
    seed: int = 0,
    shared: Mapping[str, Any] | None = None,
    learns_shared: bool = True,
    keeps_best: bool = True,
) -> Attacked:
    """Samples that are changed within the budgets of a threat so that the end loss grows.

    The system is in evaluation mode meanwhile, as it is on the car; no gradient reaches the
    gradients of its weights.

    Args:
        system: on torch, for the gradient.
        samples: with truth.
        threat: attacks and budgets.
        criterion: the end loss.
        steps: along the gradient; at 0 only what is chosen without gradient is chosen.
        tries: values of a port that are tried where no gradient says what to choose.
        share: length of a step as a share of each radius; None: what suits the number of steps.
        seed: of the random start.
        shared: of :func:`shared_parts`; None: anew.
        learns_shared: they learn in place, over small changes of place and light; False: they stay.
        keeps_best: of all steps the one with the largest loss counts for each sample, which costs
            a forward more; False: the last one. What samples share is always that of the last.

    Raises:
        PipelineError: if no package registers an attack.
        ValueError: if a sample has no port that is attacked, or a gradient is not finite.
    """
    shared = shared_parts(threat, seed, samples[0].key.bag) if shared is None else shared
    started = [_started(sample, threat, shared) for sample in samples]
    sources = [_draws(seed, str(threat), s.key.bag, s.key.frame) for s in samples]
    share = min(LONGEST_STEP, WAY / max(steps, 1)) if share is None else share
    with evaluating(system):
        ports = {port for of_sample in started for port in of_sample}
        chain = _Chain(system, samples, ports, criterion, learns_shared)
        for row, of_sample in enumerate(started):
            for port, perturbation in of_sample.items():
                if not perturbation.is_shared or learns_shared:
                    perturbation.start(sources[row])
                losses = _losses_of_choices(system, samples[row], of_sample, port, criterion)
                perturbation.search(losses, sources[row], tries)
        best = _Best(samples, started)
        kept = best if keeps_best else None
        curve = [_step(chain, started, share, kept) for _ in range(steps)]
        if keeps_best or not steps:
            with torch.no_grad():
                curve.append(chain.losses(started))
            best.take(curve[-1])
        else:
            best.take(torch.full((len(samples),), torch.inf))
    return Attacked(best.samples, torch.stack(curve))


def randomly_changed(samples: Sequence[Sample], threat: Threat, *, seed: int = 0) -> list[Sample]:
    """Samples with a random change that uses the whole budgets of a threat: its baseline.

    Raises:
        PipelineError: if no package registers an attack.
        ValueError: if a sample has no port that is attacked.
    """
    found = []
    for sample in samples:
        of_sample = _started(sample, threat, shared_parts(threat, seed + 1, sample.key.bag))
        draws = _draws(seed, f"random {threat}", sample.key.bag, sample.key.frame)
        for perturbation in of_sample.values():
            perturbation.randomize(draws)
        found.append(_delivered(sample, of_sample))
    return found


def end_losses(system: System, samples: Sequence[Sample], criterion: EndLoss) -> Tensor:
    """``(B,)`` end loss of each sample, all terms together; no gradient."""
    with torch.no_grad(), evaluating(system):
        return _summed(system, samples, system(samples), criterion)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within it every part of a module is in evaluation mode."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, is_training in modes.items():
            part.training = is_training


def _summed(
    system: System, samples: Sequence[Sample], cones: Sequence[Any], criterion: EndLoss
) -> Tensor:
    terms = [criterion(c, system.truth(s)) for c, s in zip(cones, samples, strict=True)]
    return torch.stack([torch.stack(list(of_sample.values())).sum() for of_sample in terms])


Started = Mapping[str, Perturbation]  # of one sample, by port


class _Chain:
    """The part of a system that sees the changes; everything else runs once."""

    def __init__(
        self,
        system: System,
        samples: Sequence[Sample],
        ports: Collection[str],
        criterion: EndLoss,
        learns_shared: bool,
    ) -> None:
        self._learns_shared = learns_shared
        self._system, self._samples, self._criterion = system, samples, criterion
        self._kept = unaffected_values(system, samples, ports)

    def losses(self, started: Sequence[Started]) -> Tensor:
        """``(B,)`` end loss of each sample as it is now, differentiable in the leaves."""
        system, samples = self._system, self._samples
        values = {**system.inputs(samples), **self._kept}
        for row, of_sample in enumerate(started):
            for port, perturbation in of_sample.items():
                values[port] = [*values[port]]
                values[port][row] = perturbation.value()
        port = system.cones_port
        cones = system.pipeline(values, [s.context for s in samples], [port])[port]
        return _summed(system, samples, cones, self._criterion)

    def movable(self, started: Sequence[Started]) -> dict[int, Perturbation]:
        """Perturbations with a leaf of their own that learns, by its identity."""
        return {
            id(perturbation.leaf): perturbation
            for of_sample in started
            for perturbation in of_sample.values()
            if perturbation.leaf is not None
            and perturbation.leaf.numel()
            and (self._learns_shared or not perturbation.is_shared)
        }


def unaffected_values(
    system: System, samples: Sequence[Sample], changed: Collection[str]
) -> Outputs:
    """Values of the ports that do not depend on some inputs; without gradient."""
    pipeline, stages = system.pipeline, system.pipeline.specification.stages
    needed = pipeline.needed_stages([system.cones_port], pipeline.specification.inputs)
    differing = set(changed)
    kept: list[str] = []
    for name in pipeline.order:
        if name in needed:
            written = stages[name].outputs.values()
            if differing & set(stages[name].inputs.values()):
                differing |= set(written)
            else:
                kept += written
    with torch.no_grad():
        return system.values(samples, kept) if kept else {}


class _Best:
    """The change of each sample with the largest loss so far, as the sensors deliver it."""

    def __init__(self, samples: Sequence[Sample], started: Sequence[Started]) -> None:
        self._started = started
        self._losses = torch.full((len(samples),), -torch.inf)
        self._intact, self.samples = samples, list(samples)

    def take(self, losses: Tensor) -> None:
        """Keep those that are better now."""
        for row in (losses > self._losses).nonzero()[:, 0].tolist():
            self.samples[row] = _delivered(self._intact[row], self._started[row])
        self._losses = torch.maximum(losses, self._losses)


def _step(chain: _Chain, started: Sequence[Started], share: float, best: _Best | None) -> Tensor:
    """One step along the gradient; the losses before it."""
    movable = chain.movable(started)
    leaves = [p.leaf.requires_grad_() for p in movable.values() if p.leaf is not None]
    with torch.enable_grad():
        losses = chain.losses(started)
        gradients: tuple[Tensor | None, ...] = (None,) * len(leaves)
        if leaves and losses.requires_grad:
            gradients = torch.autograd.grad(losses.sum(), leaves, allow_unused=True)
    if best is not None:
        best.take(losses.detach())
    for perturbation, gradient in zip(movable.values(), gradients, strict=True):
        if gradient is None:
            continue
        if not bool(gradient.isfinite().all()):
            raise ValueError(
                f"the gradient of the end loss for {type(perturbation).__name__} is not finite, "
                "expected finite values"
            )
        perturbation.ascend(gradient, share)
    return losses.detach()


def _losses_of_choices(
    system: System, sample: Sample, started: Started, port: str, criterion: EndLoss
) -> Losses:
    """Losses of a sample for values of one port, beside the other changes as they are now."""

    def losses(values: Sequence[Any]) -> Tensor:
        now = _delivered(sample, {p: found for p, found in started.items() if p != port})
        kept = unaffected_values(system, [now], [port])
        samples = [now] * len(values)
        given = {**system.inputs(samples), port: list(values)}
        given |= {name: [*of_port] * len(values) for name, of_port in kept.items()}
        contexts = [sample.context] * len(values)
        with torch.no_grad():
            cones = system.pipeline(given, contexts, [system.cones_port])[system.cones_port]
            return _summed(system, samples, cones, criterion)

    return losses


def _started(sample: Sample, threat: Threat, shared: Mapping[str, Any]) -> dict[str, Perturbation]:
    """A perturbation for each port of a sample that is attacked.

    Raises:
        ValueError: if an attack has no port to act on.
    """
    found: dict[str, Perturbation] = {}
    for chosen in threat.attacks:
        container = port_type(chosen.attack.acts_on).container
        ports = [port for port, value in sample.inputs.items() if isinstance(value, container)]
        if not ports:
            raise ValueError(
                f"{sample.key} has no input of kind {chosen.attack.acts_on}, expected one for "
                f"{chosen.name}"
            )
        for port in ports:
            found[port] = chosen.attack.make(
                sample, sample.inputs[port], chosen.budget, shared.get(chosen.name)
            )
    return found


def _delivered(sample: Sample, started: Started) -> Sample:
    inputs, labels = {**sample.inputs}, sample.labels
    for port, perturbation in started.items():
        inputs[port] = perturbation.delivered()
        labels = None if labels is None else perturbation.labels(labels)
    return sample._replace(inputs=inputs, labels=labels)


def _draws(seed: int, name: str, bag: str, frame: int) -> np.random.Generator:
    """Random draws for one sample, the same in every process."""
    return np.random.default_rng((seed, zlib.crc32(f"{name} {bag}".encode()), frame))
