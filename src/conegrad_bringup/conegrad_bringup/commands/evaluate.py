"""Compare the cones of a bag with the truth; write report.html, metrics.json and pictures.

The truth is the bag's own topic, or a map of the cones (CSV with x, y, colour) in the frame of the
bag's odometry.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import read_roles, topic_setting
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import summary_table


@dataclass(frozen=True)
class EvaluateSettings(Config):
    """Settings of the command."""

    track: str = setting("", "Map of the cones, CSV")
    vehicle: str = setting("", "Preset by name or file: calibration")
    topic: tuple[str, ...] = topic_setting()
    max_range: float | None = setting(
        None, "Truth beyond is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None, "Farthest match [m] (default: of the vehicle)", low=1e-6
    )
    pipeline: str = setting(
        DEFAULT, "That made the cones, by name or path: its sensors decide which truth counts"
    )
    min_existence: float = setting(
        0.0, "Published cones of a lower probability are left out", low=0.0, high=1.0
    )


SETTINGS = CommandSettings({"": EvaluateSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help="folder of a bag with cones, or a file *.mcap or *.db3")
    parser.add_argument(
        "-o", "--output", type=Path, default=None, help="folder to write (default: BAG_report)"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Evaluate, print a table and the path of the report."""
    bag = Path(options.bag)
    output = options.output or bag.with_name(f"{bag.stem}_report")
    settings = SETTINGS.read(options)[EvaluateSettings]
    evaluation = evaluate_bag(
        bag,
        output,
        track=Path(settings.track) if settings.track else None,
        vehicle=settings.vehicle or None,
        max_range=settings.max_range,
        match_distance=settings.match_distance,
        min_existence=settings.min_existence,
        topics=read_roles(settings.topic),
        pipeline=settings.pipeline,
    )
    print(describe(evaluation))
    print(f"report: {output / 'report.html'}")


def describe(evaluation: Evaluation) -> str:
    """The table of metrics, or why there is none."""
    if evaluation.total.counts.true + evaluation.total.counts.predicted == 0:
        return "no truth: pictures only; a map of the cones is given with --track CONES.csv"
    return summary_table(evaluation)
