"""Trains an option for some steps in memory, by the loop of every training."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import Dataset

from conegrad_core.losses import EndLoss
from conegrad_core.pipeline.graph import Pipeline
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.data.augmentation import UNCHANGED
from conegrad_training.data.sample_stream import SampleBatches
from conegrad_training.engine.loop import StepReport, train
from conegrad_training.engine.optimizers import make_optimizer, set_rates, system_rates
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.forecast.options import Option
from conegrad_training.forecast.trials.kept_outputs import KeptOutputs, OutputStore
from conegrad_training.patterns.patterns import make_pattern


class OptionTraining:
    """The training of an option, from the weights that a pipeline has.

    Attributes:
        system: that learns; it shares the pipeline.
        cost: of the steps so far.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        option: Option,
        samples: Dataset[Sample],
        config: TrainingConfig,
        store: OutputStore | None = None,
        *,
        keep: bool = True,
        pace: float = 1.0,
    ) -> None:
        """Prepare.

        Args:
            pipeline: learns in place.
            option: decides which stages learn.
            samples: to learn from.
            config: of the training that the option would be: steps, batch, seed, rates, loss.
            store: of outputs of the pipeline with its weights before any training.
            keep: the outputs of stages that do not learn; False computes them in every step, as
                a training with augmentation has to.
            pace: factor of all learning rates, of a training with fewer steps than it stands for.

        Raises:
            PipelineError: if nothing in the pipeline learns.
        """
        torch.manual_seed(config.run.seed)
        whole = KeptOutputs(pipeline, pipeline.learned_stages)
        learning = option.learning(whole)
        self.system = KeptOutputs(pipeline, learning, store) if keep else whole
        self.system.learns_calibration = option.pattern.learn_calibration
        self.cost = TrainingCost()
        self._config, self._pace = config, pace
        self._rates = system_rates(whole, config.optimizer)
        self._optimizer = make_optimizer(whole, config.optimizer)
        self._pattern = make_pattern(option.pattern, self.system)
        self._batches = SampleBatches(
            samples,
            seed=config.run.seed,
            batch=config.run.batch,
            steps=config.run.steps,
            augmentation=UNCHANGED,  # what is kept of a sample stays valid
        )

    def steps(self, count: int) -> Iterator[StepReport]:
        """The next steps.

        Raises:
            TrainingError: if a step was refused.
        """
        first, run = self.cost.steps, self._config.run
        reports = train(
            self.system,
            (self._batches[step] for step in range(first, first + count)),
            self._pattern,
            EndLoss(self._config.loss),
            self._optimizer,
            cost=self.cost,
            max_grad_norm=self._config.optimizer.max_grad_norm,
            adapt_statistics=run.adapt_statistics,
        )
        self._set_rates()
        for report in reports:
            self._set_rates()
            yield report

    def _set_rates(self) -> None:
        run = self._config.run
        share = 1.0 - (1.0 - run.final_rate) * self.cost.steps / max(run.steps - 1, 1)
        update = self._pattern.update(self.cost.steps)
        share = self._pace * max(share, 0.0)
        set_rates(self._optimizer, self._rates, share, update.supervised_stages)


def weights_of(pipeline: Pipeline) -> Mapping[str, Any]:
    """A copy of all weights and statistics."""
    return copy.deepcopy(pipeline.state_dict())


def restore(pipeline: Pipeline, weights: Mapping[str, Any]) -> None:
    """Bring a pipeline back to the weights of :func:`weights_of`."""
    pipeline.load_state_dict(weights)
    pipeline.requires_grad_(False)
    pipeline.eval()
