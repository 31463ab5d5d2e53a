"""Compare the training patterns: the same baseline, the same frames, the same number of steps.

Frames are simulated. Runs that are done are not made again: a comparison may be interrupted at
any time and continued with --resume. The output folder holds a folder per run, results.csv and
report.html.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from conegrad_bringup.options import add_config, read_config
from conegrad_core.vehicle import load_vehicle
from conegrad_training.comparison.comparison import SETTINGS, ComparisonProgress, compare
from conegrad_training.comparison.plan import planned_runs
from conegrad_training.comparison.report import write_report
from conegrad_training.comparison.results import read_results, write_table
from conegrad_training.comparison.scenarios import ALL, SCENARIOS
from conegrad_training.comparison.settings import ComparisonConfig
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.progress_display import shown

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--resume", action="store_true", help="go on with the runs there")
    parser.add_argument(
        "--scenarios", nargs="+", default=["domain_shift"], metavar="NAME",
        help=f"some of {', '.join(SCENARIOS)} (default: domain_shift)",
    )  # fmt: skip
    parser.add_argument(
        "--patterns", nargs="+", default=[], metavar="NAME",
        help=f"some of {', '.join(ALL)} (default: all that a scenario has)",
    )  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="(default: 1 2 3)")
    parser.add_argument("--vehicle", default="formula_student", help="preset by name or file")
    add_config(parser, ComparisonConfig)


def run(options: argparse.Namespace) -> None:
    """Make the runs that are missing, then the report of all."""
    config = read_config(options, ComparisonConfig)
    runs = planned_runs(options.scenarios, options.patterns, options.seeds, config.frames)
    output: Path = options.output
    if (output / SETTINGS).exists() and not options.resume:
        raise ValueError(f"{output} holds a comparison; go on with --resume, or choose another one")
    compare(config, runs, load_vehicle(options.vehicle), output, _Bars())
    results = read_results(output)
    write_table(results, output / "results.csv")
    print(f"report: {write_report(results, config, output)}")


class _Bars(ComparisonProgress):
    """Bars on a terminal; elsewhere a line at intervals."""

    def items(self, items: Iterable[T], total: int, title: str) -> Iterable[T]:
        return shown(items, total, title)

    def steps(
        self, steps: Iterator[StepReport], done: int, total: int, title: str
    ) -> Iterator[StepReport]:
        return shown(steps, total, title, done=done, unit="step", leave=False)
