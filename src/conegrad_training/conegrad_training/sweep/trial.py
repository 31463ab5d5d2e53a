"""One trial of a sweep: a training run whose metrics are measured on the way."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import optuna

from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.output_folder import lock_folder
from conegrad_training.engine.training_run import CHECKPOINT, Data, Run, TrainingConfig
from conegrad_training.sweep.search_space import Dimension, applied
from conegrad_training.sweep.settings import StudyConfig

logger = logging.getLogger(__name__)

LABEL_VALUES, OVER_BUDGET = "label_values", "over_budget"  # attributes of a trial
BEGAN = "began"  # likewise: number of the trial that was killed and goes on here


class SweepPlan(NamedTuple):
    """What every process of a sweep knows.

    Attributes:
        sweep: settings of the sweep.
        training: settings that are not varied.
        space: what is varied.
        data: samples of every trial.
        folder: of the sweep.
        storage: address of the database.
        name: of the study in it.
    """

    sweep: StudyConfig
    training: TrainingConfig
    space: list[Dimension]
    data: Data
    folder: Path
    storage: str
    name: str

    def folder_of(self, trial: optuna.Trial) -> Path:
        """Folder of a trial; one that was killed goes on in that where it began."""
        return self.folder / "trials" / f"{trial.user_attrs.get(BEGAN, trial.number):04d}"


def run_trial(plan: SweepPlan, trial: optuna.Trial) -> float:
    """Train with the values of a trial; its figure.

    Raises:
        TrialPruned: if the trial is worse than others at the same step, or beyond the budget.
        SettingError: if a value is out of bounds.
        TrainingError: if a step was refused.
    """
    values = {dimension.name: dimension.suggest(trial) for dimension in plan.space}
    config = applied(plan.training, plan.space, values)
    folder = plan.folder_of(trial)
    with lock_folder(folder):
        run = Run(config, plan.data, folder)
        run.start(resume=True)
        try:
            run.take_steps(lambda steps, _, total: _watched(plan, trial, run, steps, total))
            after = run.measure("after")
        except optuna.TrialPruned:
            _constrain(plan, trial, run)
            (folder / CHECKPOINT).unlink(missing_ok=True)  # large, and not needed any more
            raise
        _constrain(plan, trial, run)
        run.publish({"after": after})
        (folder / CHECKPOINT).unlink(missing_ok=True)
    for name, value in after.items():
        trial.set_user_attr(name, value)
    return figure_of(after, plan.sweep.figure)


def figure_of(headline: dict[str, float], name: str) -> float:
    """A figure by its name.

    Raises:
        ValueError: if the metrics have no such figure.
    """
    if name not in headline:
        raise ValueError(f"figure is {name!r}, expected one of {', '.join(headline)}")
    return headline[name]


def _watched(
    plan: SweepPlan, trial: optuna.Trial, run: Run, steps: Iterator[StepReport], total: int
) -> Iterator[StepReport]:
    """The steps; measured every so often, until the trial is pruned."""
    every = plan.sweep.measure_every
    for report in steps:
        yield report
        _count_labels(plan, trial, run)
        taken = run.cost.steps
        if every and taken % every == 0 and taken < total:
            headline = run.measure(f"step_{taken:06d}")
            trial.report(figure_of(headline, plan.sweep.figure), taken)
            if trial.should_prune():
                raise optuna.TrialPruned(f"worse than other trials after {taken} steps")


def _constrain(plan: SweepPlan, trial: optuna.Trial, run: Run) -> None:
    """Tell the sampler how far the trial is from the label budget: above 0 it is beyond."""
    if plan.sweep.label_budget:
        trial.set_constraint(LABEL_VALUES, run.cost.label_values - plan.sweep.label_budget)


def _count_labels(plan: SweepPlan, trial: optuna.Trial, run: Run) -> None:
    """Keep what the labels cost so far; end the trial where that is beyond the budget."""
    used = run.cost.label_values
    trial.set_user_attr(LABEL_VALUES, used)
    if plan.sweep.label_budget and used > plan.sweep.label_budget:
        trial.set_user_attr(OVER_BUDGET, True)
        raise optuna.TrialPruned(f"{used} label values, expected {plan.sweep.label_budget} at most")
