"""Compare the cones of a bag with the truth; write report.html, metrics.json and pictures.

The truth is the bag's own topic, or a map of the cones (CSV with x, y, colour) in the frame of the
bag's odometry.
"""

import argparse
from pathlib import Path

from conegrad_bringup.bag_options import add_topics, chosen_topics
from conegrad_bringup.options import refused_by_option
from conegrad_evaluation.drives.bag_evaluation import evaluate_bag
from conegrad_evaluation.metrics.evaluator import Evaluation
from conegrad_evaluation.metrics.table import summary_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", help="folder of a bag with cones, or a file *.mcap or *.db3")
    parser.add_argument(
        "-o", "--output", type=Path, default=None, help="folder to write (default: BAG_report)"
    )
    parser.add_argument("--track", type=Path, default=None, help="map of the cones, CSV")
    parser.add_argument("--vehicle", default=None, help="preset by name or file: calibration")
    add_topics(parser)
    parser.add_argument("--max-range", type=float, default=None, help="truth beyond is ignored [m]")
    parser.add_argument("--match-distance", type=float, default=None, help="farthest match [m]")
    parser.add_argument(
        "--min-existence", type=float, default=0.0, help="less probable cones are left out"
    )


def run(options: argparse.Namespace) -> None:
    """Evaluate, print a table and the path of the report."""
    bag = Path(options.bag)
    output = options.output or bag.with_name(f"{bag.stem}_report")
    with refused_by_option():
        evaluation = evaluate_bag(
            bag,
            output,
            track=options.track,
            vehicle=options.vehicle,
            max_range=options.max_range,
            match_distance=options.match_distance,
            min_existence=options.min_existence,
            topics=chosen_topics(options),
        )
    print(describe(evaluation))
    print(f"report: {output / 'report.html'}")


def describe(evaluation: Evaluation) -> str:
    """The table of metrics, or why there is none."""
    if evaluation.total.counts.true + evaluation.total.counts.predicted == 0:
        return "no truth: pictures only; a map of the cones is given with --track CONES.csv"
    return summary_table(evaluation)
