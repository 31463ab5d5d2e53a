"""Train detector, segmenter and fusion together on recorded drives.

The bags need images, scans and truth: a truth topic, or --track with a map of the cones (CSV with
x, y, colour) and odometry. The output folder holds checkpoint, weights, losses and metrics.
"""

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from conegrad_bringup.bag_options import add_topics, chosen_topics
from conegrad_bringup.options import Bar, add_config, named_config, read_config
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.losses import EndLossConfig
from conegrad_core.vehicle import load_vehicle
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.data.training_data import bag_data, simulated_data
from conegrad_training.engine.distributed import folder_of_this_process, joined, rank
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.precision import check_precision
from conegrad_training.engine.progress_display import shown, written_losses
from conegrad_training.engine.training_run import Data, RunConfig, TrainingConfig
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import FILES, SystemConfig
from conegrad_training.tracking.tracked_run import run_tracked
from conegrad_training.tracking.tracking import TrackingConfig

DEFAULT_VEHICLE = "formula_student"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bags", nargs="*", type=Path, help="drives to learn from")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint there")
    parser.add_argument(
        "--evaluate", nargs="+", type=Path, default=[], metavar="BAG", help="drives to judge by"
    )
    parser.add_argument(
        "--test-share", type=float, default=0.0, help="share of the drives kept aside to judge by"
    )
    parser.add_argument("--track", type=Path, default=None, help="map of the cones, CSV")
    parser.add_argument("--vehicle", default=None, help="preset by name or file: calibration")
    add_topics(parser)
    parser.add_argument(
        "--simulated", type=int, default=0, metavar="N", help="learn from N simulated frames"
    )
    parser.add_argument("--level", default="varied", help="of --simulated: clear, varied or wide")
    parser.add_argument(
        "--loss", nargs="+", default=[], metavar="NAME=VALUE", help="settings of the end loss"
    )
    parser.add_argument(
        "--augment", nargs="+", default=[], metavar="NAME=VALUE", help="settings of augmentation"
    )
    parser.add_argument(
        "--reduction",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="settings of the reduction of clouds to scans, as of the LiDAR node",
    )
    parser.add_argument(
        "--sweep",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="what the driver says wrongly about the times of beams, as of the LiDAR node",
    )
    for config in (RunConfig, PatternConfig, OptimizerConfig, SystemConfig, TrackingConfig):
        add_config(parser, config)


def run(options: argparse.Namespace) -> None:
    """Train, print the metrics and where the results are."""
    config = TrainingConfig(
        run=read_config(options, RunConfig),
        system=read_config(options, SystemConfig),
        pattern=read_config(options, PatternConfig),
        optimizer=read_config(options, OptimizerConfig),
        loss=named_config(EndLossConfig, options.loss, "--loss"),
        augmentation=named_config(AugmentationConfig, options.augment, "--augment"),
        reduction=named_config(ReductionConfig, options.reduction, "--reduction"),
        sweep=named_config(SweepConfig, options.sweep, "--sweep"),
    )
    check_precision(config.system)
    with joined(), folder_of_this_process(options.output) as output:
        is_first = rank() == 0
        tracking = read_config(options, TrackingConfig)
        data = _data(options, config)
        if is_first:
            print(_described(data, config), flush=True)
        headlines, look = run_tracked(
            config,
            data,
            output,
            tracking if is_first else dataclasses.replace(tracking, tracking=False),
            resume=options.resume,
            progress=_show if is_first else None,
            measuring=Bar("metrics") if is_first else None,
        )
        if is_first:
            _print_results(options.output, headlines, look)


def _data(options: argparse.Namespace, config: TrainingConfig) -> Data:
    vehicle = load_vehicle(options.vehicle) if options.vehicle else None
    if options.simulated:
        return simulated_data(
            vehicle or load_vehicle(DEFAULT_VEHICLE), options.simulated, options.level, options.seed
        )
    return bag_data(
        options.bags,
        tests=options.evaluate,
        test_share=options.test_share,
        seed=options.seed,
        track=options.track,
        vehicle=vehicle,
        reduction=config.reduction,
        sweep=config.sweep,
        topics=chosen_topics(options),
    )


def _described(data: Data, config: TrainingConfig) -> str:
    """What is learned from and judged by, told before the first wait."""
    learned, judged = len(data.training), len(data.evaluation)  # type: ignore[arg-type]
    counts = [min(config.run.frames or learned, learned), min(config.run.evaluation_frames, judged)]
    return f"learns from {counts[0]} of {learned} frames, judged by {counts[1]} of {judged}"


def _show(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
    return shown(
        steps, total, "training", done=done, unit="step", note=lambda r: written_losses(r.losses)
    )


def _print_results(output: Path, headlines: dict[str, dict[str, float]], look: str) -> None:
    if headlines:
        _print_metrics(headlines)
    print(f"weights: {', '.join(str(output / name) for name in FILES.values())}")
    if look:
        print(look)


def _print_metrics(headlines: dict[str, dict[str, float]]) -> None:
    before, after = headlines["before"], headlines["after"]
    print(f"{'metric':<12}{'before':>10}{'after':>10}")
    for name, value in after.items():
        print(f"{name:<12}{before[name]:>10.3f}{value:>10.3f}")
