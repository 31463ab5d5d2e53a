"""Measure how much of its F1 a system keeps under disturbances of sensors, calibration and time.

  conegrad robustness car@champion --bags drive1 drive2
  conegrad robustness camera_lidar --bags drive --every 5 --disturbances image_fog camera_yaw:3
  conegrad robustness run/system --bags drive -o robustness

Every frame is perceived intact and under each disturbance: NAME, NAME:SEVERITY (1 to 3) or
NAME:PARAMETER=VALUE. By default all that are installed are tried, at every severity. The folder
gets robustness.html, robustness.json and robustness.png: the share of F1 with colour that is left,
by disturbance, with intervals.
"""

import argparse
from pathlib import Path

from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.system_record.location import pinned
from conegrad_core.system_record.reference import load_referenced
from conegrad_evaluation.robustness.retention import retention
from conegrad_evaluation.robustness.robustness import RobustnessSettings, measure_robustness
from conegrad_evaluation.robustness.robustness_report import as_text, write_robustness
from conegrad_training.data.disturbed_training import trained_disturbances
from conegrad_training.engine.progress_display import shown

SETTINGS = CommandSettings({"": RobustnessSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "system",
        metavar="SYSTEM",
        help="NAME@ALIAS, NAME/VERSION, an id, a path of a record, or a pipeline by name or file",
    )
    parser.add_argument(
        "--bags", type=Path, nargs="+", required=True, metavar="BAG", help="Drives with truth"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("robustness"),
        help="folder to write (default: robustness)",
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Replay, print what is left."""
    settings = SETTINGS.read(options)[RobustnessSettings]
    system = pinned(options.system)
    pipeline = load_referenced(system)
    pipeline.accelerate()
    result = measure_robustness(pipeline, options.bags, settings, shown)
    table = retention(result, trained=settings.trained or trained_disturbances(system))
    report = write_robustness(table, options.output, system, result.drives)
    print(as_text(table))
    print(f"report: {report}")
