"""The probe of a forecast: a few steps of training everything, told apart by stage.

One short training of all stages together stands for those of each of them: a stage has the weights
of the probe where an option trains it, and those of the start elsewhere. The networks then go
forward once with each of their weights, and what joins them tells the options apart.
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch.utils.data import Dataset

from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.forecast.options import Option
from conegrad_training.forecast.trials.mixed_weights import MixedWeights
from conegrad_training.forecast.trials.option_training import OptionTraining
from conegrad_training.systems.system import TrainableSystem

PROBED = "probed"  # version of the weights after the probe


class ProbeResult(NamedTuple):
    """What the probe found.

    Attributes:
        shares: share of each stage in the gradient of the steps, by its name; they sum to 1.
        step_seconds: time of a step of all stages [s].
    """

    shares: Mapping[str, float]
    step_seconds: float


def probe(
    mixed: MixedWeights,
    system: TrainableSystem,
    everything: Option,
    samples: Dataset[Sample],
    config: TrainingConfig,
    steps: int,
) -> ProbeResult:
    """Train everything for some steps, and remember the weights as the version :data:`PROBED`.

    Args:
        mixed: of the system; has the weights of the start loaded, before and afterwards.
        system: that is probed.
        everything: the option that trains all stages.
        samples: to learn from.
        config: of the trainings that are forecast.
        steps: of the probe.

    Raises:
        TrainingError: if a step was refused.
    """
    learner = OptionTraining(system.pipeline, everything, samples, config)
    norms = [report.norms for report in learner.steps(steps)]
    mixed.add(PROBED)
    mixed.load({})
    system.pipeline.requires_grad_(False)
    sums = {name: sum(each.get(name, 0.0) for each in norms) for name in system.end_stages}
    total = sum(sums.values()) or 1.0
    shares = {name: value / total for name, value in sums.items()}
    return ProbeResult(shares, learner.cost.seconds / steps)
