"""Search the patterns and settings of a training that make the best system, with Optuna.

Each trial is a training run on the same frames, with values for the settings that --vary names.
Trials that are worse than others at the same step are pruned. A sweep may be interrupted at any
time and continued with --resume. The output folder gets trials.csv, sweep.png and best.yaml, the
settings of the best trial for 'conegrad train --config'.
"""

import argparse
import dataclasses
from pathlib import Path

from conegrad_bringup.progress_bar import ProgressBar
from conegrad_bringup.text_table import text_table
from conegrad_bringup.training_samples import SimulatedSettings, read_samples
from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.settings.command_settings import CommandSettings, Group
from conegrad_training import aliases
from conegrad_training.action.goal_settings import DataConfig
from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.sweep.search_space import read_space
from conegrad_training.sweep.settings import StudyConfig
from conegrad_training.sweep.sweep import DATABASE, best_trial, sweep
from conegrad_training.sweep.sweep_files import BEST, trial_cells, write_files

SHOWN = 8  # trials on a terminal, the best ones


@dataclasses.dataclass(frozen=True)
class SweepSettings(SimulatedSettings, StudyConfig):
    """Settings of the sweep, and its samples where they are simulated."""


DEFAULTS = TrainingConfig()
SETTINGS = CommandSettings(
    {
        "": SweepSettings(),
        "data": Group(DataConfig(), leave_out=("output", "resume")),
        "run": Group(
            # Processes that read samples compete with those that make trials.
            dataclasses.replace(DEFAULTS.run, workers=0, threads=1),
            leave_out=("workers",),
        ),
        "pattern": DEFAULTS.pattern,
        "fork": DEFAULTS.fork,
        "optimizer": DEFAULTS.optimizer,
        "system": DEFAULTS.system,
        "loss": Group(DEFAULTS.loss, words="--loss"),
        "augmentation": Group(DEFAULTS.augmentation, words="--augment"),
        "disturbance": DEFAULTS.disturbance,
        "adversarial": DEFAULTS.adversarial,
        "reduction": Group(DEFAULTS.reduction, words="--reduction"),
        "sweep": Group(DEFAULTS.sweep, is_flat=False),  # of a LiDAR
        "evaluation": Group(DEFAULTS.evaluation, is_flat=False),
        "jobs": JobsConfig(),
    },
    current=aliases.current_sections,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bags", nargs="*", type=Path, metavar="BAG", help="drives to learn from")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in the output folder"
    )
    SETTINGS.add_to(parser)
    aliases.add_options(parser, SETTINGS)


def run(options: argparse.Namespace) -> None:
    """Make the trials that are missing, print the best ones and where their settings are."""
    aliases.translate_options(options, SETTINGS)
    settings = SETTINGS.read(options)
    own = settings[SweepSettings]
    training = settings.gathered(TrainingConfig)
    space, output = read_space(own.vary), options.output
    if (output / DATABASE).exists() and not options.resume:
        raise ValueError(f"{output} holds a sweep; go on with --resume, or choose another one")
    data = read_samples(options.bags, settings[DataConfig], own, training)
    with JobRunner(settings[JobsConfig]) as runner:
        study = sweep(own, training, data, output, runner=runner, progress=ProgressBar("trials"))
    write_files(study, space, training, output, own.figure)
    trials = sorted(
        (trial for trial in study.get_trials(deepcopy=False) if trial.value is not None),
        key=lambda trial: -(trial.value or 0.0),
    )
    header = ["trial", "state", own.figure, "label values", *(d.name for d in space)]
    print("\n".join(text_table([header, *(trial_cells(t, space) for t in trials[:SHOWN])])))
    best = best_trial(study)
    if best is None:
        print("no trial is finished within the label budget")
    else:
        print(f"best settings: conegrad train --config {output / BEST}")
