"""The probe of a forecast: a few steps of training everything, told apart by stage.

One short training of all stages together stands for those of each of them: a stage has the weights
of the probe where an option trains it, and those of the start elsewhere. The networks then go
forward once with each of their weights, and what joins them tells the options apart.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch.utils.data import Dataset

from conegrad_core.losses import EndLoss
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.forecast.mixed_weights import MixedWeights
from conegrad_training.forecast.option_training import OptionTraining
from conegrad_training.forecast.options import Option
from conegrad_training.forecast.scores import Scores, scores_of
from conegrad_training.systems.system import TrainableSystem

PROBED = "probed"


class ProbeResult(NamedTuple):
    """What the probe found.

    Attributes:
        before: scores of the start.
        after: scores of each option after the steps of the probe, by its name.
        shares: share of each stage in the gradient of the steps, by its name; they sum to 1.
        step_seconds: time of a step of all stages [s].
        stage_seconds: time that each stage took for a held-out sample, by its name [s].
    """

    before: Scores
    after: Mapping[str, Scores]
    shares: Mapping[str, float]
    step_seconds: float
    stage_seconds: Mapping[str, float]


def probe(
    system: TrainableSystem,
    everything: Option,
    options: Sequence[Option],
    training: Dataset[Sample],
    held_out: Sequence[Sample],
    config: TrainingConfig,
    steps: int,
) -> ProbeResult:
    """Train everything for some steps, and look at each option.

    Args:
        system: has the weights of the start, and has them again afterwards.
        everything: the option that trains all stages.
        options: to be told apart.
        training: samples to learn from.
        held_out: samples of the scores.
        config: of the trainings that are forecast.
        steps: of the probe.

    Raises:
        TrainingError: if a step was refused.
    """
    system.eval()
    criterion = EndLoss(config.loss)
    truths = [system.truth(sample) for sample in held_out]
    mixed = MixedWeights(system, held_out)

    def scored(versions: Mapping[str, str]) -> Scores:
        return scores_of(mixed.cones(versions), truths, criterion, config.evaluation)

    before = scored({})
    learner = OptionTraining(system.pipeline, everything, training, config)
    norms = [report.norms for report in learner.steps(steps)]
    mixed.add(PROBED)
    after = {o.name: scored(dict.fromkeys(o.learning(system), PROBED)) for o in options}
    mixed.load({})
    system.pipeline.requires_grad_(False)
    sums = {name: sum(each.get(name, 0.0) for each in norms) for name in system.end_stages}
    total = sum(sums.values()) or 1.0
    shares = {name: value / total for name, value in sums.items()}
    seconds = {name: value / len(held_out) for name, value in mixed.seconds.items()}
    return ProbeResult(before, after, shares, learner.cost.seconds / steps, seconds)
