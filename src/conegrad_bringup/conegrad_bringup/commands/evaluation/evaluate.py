"""Compare the cones of bags with the truth; write report.html, metrics.json and pictures of each.

The truth is the bag's own topic, or a map of the cones (CSV with x, y, colour) in the frame of the
bag's odometry.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.bag_options import (
    CALIBRATION,
    PIPELINE,
    SYSTEM,
    TRUTH_OF_BAG,
    read_roles,
    topic_setting,
)
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_bringup.text_table import text_table
from conegrad_core.jobs.job import Job
from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import summary_table


@dataclass(frozen=True)
class EvaluateSettings(Config):
    """Settings of the command."""

    track: str = setting("", TRUTH_OF_BAG)
    vehicle: str = setting("", CALIBRATION)
    topic: tuple[str, ...] = topic_setting()
    max_range: float | None = setting(
        None, "Truth beyond this range is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None,
        "Largest distance of a cone to the truth that it matches [m] (default: of the vehicle)",
        low=1e-6,
    )
    pipeline: str = setting(
        DEFAULT, f"{PIPELINE} that made the cones: its sensors decide which truth counts"
    )
    system: str = setting("", SYSTEM)
    baseline: str = setting(
        "", "Bag of the same drive with cones of another system, to be set beside"
    )
    min_existence: float = setting(
        0.0, "Published cones of a lower probability are left out", low=0.0, high=1.0
    )
    truth_error: float = setting(
        0.0,
        "Standard deviation of x and y of the truth where it states none [m]; it adds to the "
        "covariances that are compared with the errors",
        low=0.0,
        high=1.0,
    )


SETTINGS = CommandSettings({"": EvaluateSettings(), "jobs": JobsConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "bags",
        nargs="+",
        type=Path,
        metavar="bag",
        help="folder of a bag with cones, or a file *.mcap or *.db3",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=None,
        help="folder to write, of several bags one folder each in it (default: BAG_report)",
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Evaluate, print a table and the path of each report."""
    settings = SETTINGS.read(options)
    arguments = _arguments(settings[EvaluateSettings])
    reports = report_folders(options.bags, options.output)
    if arguments["baseline"] and len(reports) > 1:
        raise ValueError(f"baseline is set beside one bag, {len(reports)} bags are given")
    if len(reports) == 1:
        ((bag, report),) = reports.items()
        print(describe(evaluate_bag(bag, report, **arguments)))
        if arguments["baseline"]:
            print(json.loads((report / "metrics.json").read_text())["beside"]["verdict"])
    else:
        jobs = [
            Job(str(bag), evaluate_bag, {"bag": bag, "output_dir": report, **arguments})
            for bag, report in reports.items()
        ]
        with JobRunner(settings[JobsConfig]) as runner:
            evaluations = runner.run(jobs, ProgressBar("bags"))
        print("\n".join(text_table(_rows(list(reports), evaluations))))
    for report in reports.values():
        print(f"report: {report / 'report.html'}")


def _arguments(settings: EvaluateSettings) -> dict[str, Any]:
    return {
        "track": Path(settings.track) if settings.track else None,
        "vehicle": settings.vehicle or None,
        "max_range": settings.max_range,
        "match_distance": settings.match_distance,
        "min_existence": settings.min_existence,
        "truth_error": settings.truth_error,
        "topics": read_roles(settings.topic),
        "pipeline": settings.system or settings.pipeline,
        "baseline": Path(settings.baseline) if settings.baseline else None,
    }


def report_folders(bags: Sequence[Path], output: Path | None) -> dict[Path, Path]:
    """Folder of the report of each bag.

    Raises:
        ValueError: if two bags would have the same one.
    """
    if len(bags) == 1 and output is not None:
        return {bags[0]: output}
    reports = {
        bag: output / bag.stem if output else bag.with_name(f"{bag.stem}_report") for bag in bags
    }
    folders = list(reports.values())
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice is not None or len(reports) < len(bags):
        raise ValueError(f"two bags have the report {twice or bags[0]}, expected different names")
    return reports


def _rows(bags: Sequence[Path], evaluations: Sequence[Evaluation]) -> list[list[str]]:
    """A table with a row per bag."""
    header = ["bag", "frames", "f1_colour", "f1", "precision", "recall", "rmse [m]"]
    return [header] + [
        [
            bag.name,
            str(evaluation.frames),
            *(
                f"{value:.3f}"
                for value in (
                    evaluation.f1_colour,
                    evaluation.total.counts.f1,
                    evaluation.total.counts.precision,
                    evaluation.recall,
                    evaluation.rmse,
                )
            ),
        ]
        for bag, evaluation in zip(bags, evaluations, strict=True)
    ]


def describe(evaluation: Evaluation) -> str:
    """The table of metrics, or why there is none."""
    if evaluation.frames and evaluation.total.counts.true + evaluation.total.counts.predicted == 0:
        return "no cones: neither perceived nor in the truth; the report says what took part"
    if not evaluation.frames:
        return "no truth: pictures only; a map of the cones is given with --track CONES.csv"
    return summary_table(evaluation)
