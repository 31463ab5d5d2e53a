"""The supervised losses of the stages of a system, and what their labels cost."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from conegrad_data.errors import ReplayError
from conegrad_training.data.sample import Sample
from conegrad_training.systems.system import TrainableSystem


def supervised_losses(
    system: TrainableSystem, samples: Sequence[Sample], stages: Collection[str]
) -> dict[str, Tensor]:
    """Mean terms of the supervised loss of each stage, on the CPU.

    A stage that reads from another one gets its results without gradient: each stage learns from
    its own loss alone.

    Args:
        system: in training mode as the pattern wants it.
        samples: the batch.
        stages: whose losses are computed.

    Raises:
        ReplayError: if a sample lacks a label.
    """
    contexts = [sample.context for sample in samples]
    losses: dict[str, Tensor] = {}
    for name in system.supervised_stages:
        if name not in stages:
            continue
        stage = system.pipeline.stage(name)
        found = [stage_labels(system, name, sample) for sample in samples]
        labels = {kind: [of_sample[kind] for of_sample in found] for kind in stage.label_kinds}
        terms = stage.supervised_loss(_stage_inputs(system, name, samples), labels, contexts)
        for term, loss in terms.items():
            losses[f"{name}_{term}" if term in losses else term] = loss
    return losses


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


def check_labels(system: TrainableSystem, sample: Sample) -> None:
    """Refuse a sample that individual training cannot learn from.

    Raises:
        ReplayError: if a label is missing, or no stage has a supervised loss.
    """
    if not system.supervised_stages:
        source = system.pipeline.specification.source
        raise ReplayError(f"no stage of {source} has a supervised loss; choose another pattern")
    for name in system.supervised_stages:
        stage_labels(system, name, sample)


def _stage_inputs(
    system: TrainableSystem, name: str, samples: Sequence[Sample]
) -> dict[str, list[Any]]:
    """Inputs of a stage; those that other stages write are computed without gradient."""
    connections = system.pipeline.specification.stages[name].inputs
    with torch.no_grad():
        values = system.pipeline(
            system.inputs(samples), [s.context for s in samples], tuple(connections.values())
        )
    return {slot: values[port] for slot, port in connections.items()}


def _known_inputs(system: TrainableSystem, name: str, sample: Sample) -> Mapping[str, Any]:
    """Inputs of a stage that came with the sample."""
    connections = system.pipeline.specification.stages[name].inputs
    return {
        slot: sample.inputs[port] for slot, port in connections.items() if port in sample.inputs
    }
