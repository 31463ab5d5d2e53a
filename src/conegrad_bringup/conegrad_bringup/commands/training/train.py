"""Train the stages of a pipeline together on recorded drives.

The bags need images, scans and truth: a truth topic, or --track with a map of the cones (CSV with
x, y, colour) and odometry. The output folder holds checkpoint, weights, losses and metrics.
"""

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from conegrad_bringup.progress_bar import ProgressBar
from conegrad_bringup.training_samples import SimulatedSettings, read_samples
from conegrad_bringup.training_view import training_view, viewed_steps
from conegrad_core.settings.command_settings import CommandSettings, Group
from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.view_server.settings import ViewConfig
from conegrad_training import aliases
from conegrad_training.action.goal_settings import DataConfig
from conegrad_training.engine.distributed import folder_of_this_process, joined, rank
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.precision import check_precision
from conegrad_training.engine.progress_display import shown, written_losses
from conegrad_training.engine.training_run import Data, TrainingConfig
from conegrad_training.engine.training_run import Progress as StepProgress
from conegrad_training.tracking.tracked_run import TrackedResult, run_tracked
from conegrad_training.tracking.tracking import TrackingConfig

DEFAULTS = TrainingConfig()
# The sections are those of the settings file that a training goal takes.
SETTINGS = CommandSettings(
    {
        "": SimulatedSettings(),
        "data": Group(DataConfig(), leave_out=("output", "resume")),
        "run": DEFAULTS.run,
        "pattern": DEFAULTS.pattern,
        "fork": DEFAULTS.fork,
        "optimizer": DEFAULTS.optimizer,
        "system": DEFAULTS.system,
        "tracking": TrackingConfig(),
        "view": ViewConfig(),
        "loss": Group(DEFAULTS.loss, words="--loss"),
        "augmentation": Group(DEFAULTS.augmentation, words="--augment"),
        "disturbance": DEFAULTS.disturbance,
        "adversarial": DEFAULTS.adversarial,
        "reduction": Group(DEFAULTS.reduction, words="--reduction"),
        "sweep": Group(DEFAULTS.sweep, words="--sweep"),
        "evaluation": Group(DEFAULTS.evaluation, is_flat=False),
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
    """Train, print the metrics and where the results are."""
    aliases.translate_options(options, SETTINGS)
    settings = SETTINGS.read(options)
    config = settings.gathered(TrainingConfig)
    check_precision(config.system)
    with contextlib.ExitStack() as stack:
        stack.enter_context(joined())
        output = stack.enter_context(folder_of_this_process(options.output))
        is_first = rank() == 0
        view, tracking = settings[ViewConfig], settings[TrackingConfig]
        if not is_first:
            view = dataclasses.replace(view, view=False)
            tracking = dataclasses.replace(tracking, tracking=False)
        feed = stack.enter_context(training_view(view, f"Training {options.output.name}"))
        data = read_samples(options.bags, settings[DataConfig], settings[SimulatedSettings], config)
        if is_first:
            print(_described(data, config), flush=True)
        result = run_tracked(
            config,
            data,
            output,
            tracking,
            resume=options.resume,
            progress=_progress(feed, config.pattern.pattern) if is_first else None,
            measuring=ProgressBar("metrics") if is_first else None,
        )
        if is_first:
            _print_results(options.output, result)


def _described(data: Data, config: TrainingConfig) -> str:
    """Training and test frames, printed before the first wait."""
    training, test = len(data.training), len(data.evaluation)  # type: ignore[arg-type]
    counts = [min(config.run.frames or training, training), min(config.run.evaluation_frames, test)]
    of_test = f"{test}, of the same drives" if data.is_its_own_test else str(test)
    return f"trains on {counts[0]} of {training} frames, evaluates on {counts[1]} of {of_test}"


def _progress(feed: ViewFeed | None, pattern: str) -> StepProgress:
    """Shows how far the steps are: here, and in the view if there is one."""

    def show(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        if feed is not None:
            steps = viewed_steps(feed, pattern, steps, done, total)
        return shown(
            steps,
            total,
            "training",
            done=done,
            unit="step",
            note=lambda report: written_losses(report.losses),
        )

    return show


def _print_results(output: Path, result: TrackedResult) -> None:
    summary = json.loads((output / "run.json").read_text())
    if result.headlines:
        _print_metrics(result.headlines)
    if summary["verdict"]:
        print(summary["verdict"])
    files = summary["weights"]
    print(f"weights: {', '.join(str(output / name) for name in files.values())}")
    if result.version:
        print(f"system: {result.version.reference}, record {result.version.id}")
    if result.look:
        print(result.look)


def _print_metrics(headlines: dict[str, dict[str, float]]) -> None:
    before, after = headlines["before"], headlines["after"]
    print(f"{'metric':<12}{'before':>10}{'after':>10}")
    for name, value in after.items():
        print(f"{name:<12}{before[name]:>10.3f}{value:>10.3f}")
