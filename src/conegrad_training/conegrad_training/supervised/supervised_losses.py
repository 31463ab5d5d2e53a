"""The supervised losses of the stages of a system, and what their labels cost."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from conegrad_data.errors import ReplayError
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.systems.system import TrainableSystem, statistics_kept


def supervised_losses(
    system: TrainableSystem, samples: Sequence[Sample], stages: Collection[str]
) -> dict[str, Tensor]:
    """Mean terms of the supervised loss of each stage, on the CPU.

    A stage that reads from another one gets its results without gradient: each stage learns from
    its own loss alone. What several stages read is computed once, and batch-norm statistics do not
    follow it: they follow the loss of their own stage.

    Args:
        system: in training mode as the pattern wants it.
        samples: the batch.
        stages: whose losses are computed.

    Raises:
        ReplayError: if a sample lacks a label.
    """
    chosen = [name for name in system.supervised_stages if name in stages]
    with torch.no_grad(), statistics_kept(system):
        values = system.values(samples, system.ports_read_by(chosen))
    losses: dict[str, Tensor] = {}
    for name in chosen:
        for term, loss in stage_losses(system, name, samples, values).items():
            losses[f"{name}_{term}" if term in losses else term] = loss
    return losses


def stage_losses(
    system: TrainableSystem,
    name: str,
    samples: Sequence[Sample],
    values: Mapping[str, Sequence[Any]],
) -> dict[str, Tensor]:
    """Mean terms of the supervised loss of one stage, with a gradient into what it reads.

    Args:
        system: in training mode as the pattern wants it.
        name: of the stage.
        samples: the batch.
        values: of the ports that the stage reads, one per sample. A sample that lacks one of them
            does not count.

    Raises:
        ReplayError: if a sample lacks a label.
    """
    stage, connections = system.pipeline.stage(name), system.pipeline.specification.stages[name]
    read = {slot: values[port] for slot, port in connections.inputs.items()}
    places = [i for i in range(len(samples)) if all(v[i] is not None for v in read.values())]
    if not places:
        return {}
    found = [stage_labels(system, name, samples[i]) for i in places]
    labels = {kind: [of_sample[kind] for of_sample in found] for kind in stage.label_kinds}
    inputs = {slot: [of_port[i] for i in places] for slot, of_port in read.items()}
    return stage.supervised_loss(inputs, labels, [samples[i].context for i in places])


def stage_labels(system: TrainableSystem, name: str, sample: Sample) -> dict[str, Any]:
    """Labels of a sample for one stage, by kind.

    Raises:
        ReplayError: if one is missing.
    """
    kinds, given = system.pipeline.stage(name).label_kinds, sample.labels or {}
    missing = [kind for kind in kinds if kind not in given]
    if missing:
        raise ReplayError(
            f"{sample.key} has no labels {' and '.join(missing)} for the stage {name}; individual "
            "training needs them: train on simulated samples, or choose a pattern of the end loss"
        )
    return {kind: given[kind] for kind in kinds}


def label_values(system: TrainableSystem, name: str, sample: Sample) -> int:
    """Numbers that a person had to give for the labels of a sample for one stage.

    Raises:
        ReplayError: if a label is missing.
    """
    labels = stage_labels(system, name, sample)
    return system.pipeline.stage(name).label_values(labels, _known_inputs(system, name, sample))


def has_inputs(system: TrainableSystem, name: str, sample: Sample) -> bool:
    """Whether a sample has what a stage reads of it; a sensor may have been lost."""
    return all(value is not None for value in _known_inputs(system, name, sample).values())


def check_labels(system: TrainableSystem, sample: Sample, stages: Collection[str]) -> None:
    """Refuse a sample that the supervised losses of some stages cannot learn from.

    Raises:
        ReplayError: if a label is missing.
    """
    for name in system.supervised_stages:
        if name in stages:
            stage_labels(system, name, sample)


def _known_inputs(system: TrainableSystem, name: str, sample: Sample) -> Mapping[str, Any]:
    """Inputs of a stage that came with the sample."""
    connections = system.pipeline.specification.stages[name].inputs
    return {
        slot: sample.inputs[port] for slot, port in connections.items() if port in sample.inputs
    }
