"""Trials: options that train no costly network are trained on what the other networks write.

Networks that stay frozen run once per sample, and what they write is kept. What is left of a step
is the fusion and, for some options, a small network: such an option is tried instead of predicted.
A trial has fewer steps than the training, and rates that are larger by as much: Adam moves a weight
by its rate in each step, whatever the length of the gradient. What joins also makes do with fewer
samples in a step; a network whose batch normalisation follows the batches does not.
"""

import dataclasses
from collections.abc import Sequence

from torch.utils.data import Dataset

from conegrad_evaluation.samples.sample import Sample
from conegrad_training.data.sample_stream import evenly
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.forecast.options import Option
from conegrad_training.forecast.trials.kept_outputs import KeptOutputs, OutputStore
from conegrad_training.forecast.trials.mixed_weights import MixedWeights
from conegrad_training.forecast.trials.option_training import OptionTraining
from conegrad_training.systems.system import TrainableSystem

MAX_KEPT = 512  # samples of trials: what networks write of them stays in memory
TOGETHER = 8  # samples that networks run on at once


def affordable(
    system: TrainableSystem, options: Sequence[Option], share: float
) -> tuple[Option, ...]:
    """Options of which a step is cheap once the outputs of the frozen networks are kept.

    Weights count instead of the time that they take: the same options are tried every time.

    Args:
        system: of the options.
        options: to choose from.
        share: of the weights of all stages that the networks of an option may have.
    """
    weights = {
        name: sum(weight.numel() for weight in system.stages[name].parameters())
        for name in system.end_stages
    }
    limit = share * sum(weights.values())
    networks = frozenset(system.end_networks)
    return tuple(
        option
        for option in options
        if sum(weights[name] for name in option.learning(system) & networks) <= limit
    )


def run_trials(
    mixed: MixedWeights,
    system: TrainableSystem,
    options: Sequence[Option],
    samples: Dataset[Sample],
    config: TrainingConfig,
    share: float,
) -> None:
    """Train each option, and remember its weights as the version of its name.

    Args:
        mixed: of the system; has the weights of the start loaded, before and afterwards.
        system: of the options.
        options: to train.
        samples: to learn from.
        config: of the trainings that the trials stand for.
        share: steps, and samples of a step in which no network learns, as a share of those.

    Raises:
        TrainingError: if a step was refused.
    """
    run, networks = config.run, frozenset(system.end_networks)
    steps = max(1, round(share * run.steps))
    batch = max(1, round(share * run.batch))
    chosen, store = evenly(samples, min(steps * batch, MAX_KEPT)), OutputStore()
    keeper = KeptOutputs(system.pipeline, (), store)
    places = range(len(chosen))  # type: ignore[arg-type]
    for first in places[::TOGETHER]:
        keeper.keep([chosen[place] for place in places[first : first + TOGETHER]])
    for option in options:
        together = run.batch if option.learning(system) & networks else batch
        shorter = dataclasses.replace(run, steps=steps, batch=together)
        training = OptionTraining(
            system.pipeline,
            option,
            chosen,
            dataclasses.replace(config, run=shorter),
            store,
            pace=run.steps / steps,
        )
        for _ in training.steps(steps):
            pass
        mixed.add(option.name)
        mixed.load({})
    system.pipeline.requires_grad_(False)
