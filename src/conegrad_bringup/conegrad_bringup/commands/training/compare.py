"""Compare the training patterns: the same baseline, the same frames, the same number of steps.

Frames are simulated. Runs that are done are not made again: a comparison may be interrupted at
any time and continued with --resume. The output folder holds a folder per run, results.csv and
report.html.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from conegrad_bringup.bag_options import VEHICLE
from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings, Group
from conegrad_core.vehicle import load_vehicle
from conegrad_training import aliases
from conegrad_training.comparison.comparison import SETTINGS as SETTINGS_FILE
from conegrad_training.comparison.comparison import ComparisonProgress, compare
from conegrad_training.comparison.plan import planned_runs
from conegrad_training.comparison.report import write_report
from conegrad_training.comparison.results import read_results, write_table
from conegrad_training.comparison.scenarios import ALL, SCENARIOS
from conegrad_training.comparison.settings import DECIDED, ComparisonConfig
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.progress_display import shown
from conegrad_training.patterns.forking import STRATEGIES
from conegrad_training.patterns.patterns import PARTIAL
from conegrad_training.systems.system import load_system
from conegrad_training.tracking.tracking import TrackingConfig

T = TypeVar("T")


PATTERN_NAMES = [f"{PARTIAL}_STAGE" if name == PARTIAL else name for name in ALL]


@dataclass(frozen=True)
class CompareSettings(Config):
    """Settings of the command itself."""

    scenarios: tuple[str, ...] = setting(
        ("domain_shift",), "Scenarios", choices=tuple(SCENARIOS), metavar="NAME"
    )
    patterns: tuple[str, ...] = setting(
        (),
        f"Training patterns, some of {', '.join(PATTERN_NAMES)}; empty: all that a scenario has",
        metavar="NAME",
    )
    fork_strategies: tuple[str, ...] = setting(
        (),
        "How a fork learns, a run of simultaneous training each; empty: the pattern alone decides",
        choices=STRATEGIES[1:],
        metavar="NAME",
        aliases=("fork_strategy",),
    )
    seeds: tuple[int, ...] = setting((1, 2, 3), "Seeds, a run of each pattern for each", low=0)
    vehicle: str = setting("formula_student", VEHICLE)


DEFAULTS = ComparisonConfig()
SETTINGS = CommandSettings(
    {
        "": CompareSettings(),
        **{
            name: Group(config, leave_out=DECIDED.get(name, ()))
            for name, config in DEFAULTS.groups.items()
        },
        "tracking": TrackingConfig(),
        "jobs": JobsConfig(),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in the output folder"
    )
    SETTINGS.add_to(parser)
    aliases.add_options(parser, SETTINGS)


def run(options: argparse.Namespace) -> None:
    """Make the runs that are missing, then the report of all."""
    aliases.translate_options(options, SETTINGS)
    settings = SETTINGS.read(options)
    own = settings[CompareSettings]
    config = settings.gathered(ComparisonConfig)
    runs = planned_runs(
        own.scenarios,
        own.patterns,
        own.seeds,
        config.design.frames,
        networks=load_system(config.system).end_networks,
        fork_strategies=own.fork_strategies,
    )
    output: Path = options.output
    if (output / SETTINGS_FILE).exists() and not options.resume:
        raise ValueError(f"{output} holds a comparison; go on with --resume, or choose another one")
    vehicle = load_vehicle(own.vehicle)
    tracking = settings[TrackingConfig]
    with JobRunner(settings[JobsConfig]) as jobs:
        compare(config, runs, vehicle, output, _Bars(), tracking=tracking, jobs=jobs)
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
