"""Evaluate every combination of versions of stages: which parts make the best system.

A version is a weights file, a system whose stage of that name is taken, or 'default': the stage of
the pipeline itself. Each version runs once over the bags; outputs are kept in a cache. The output
folder gets metrics.json, heat_map.png and report.html.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import (
    CALIBRATION,
    PIPELINE,
    TRUTH_OF_BAG,
    read_roles,
    topic_setting,
)
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_bringup.text_table import text_table
from conegrad_core.engines.cache import cache_folder
from conegrad_core.jobs.runner import JobRunner
from conegrad_core.jobs.settings import JobsConfig
from conegrad_core.pipeline.build import DEFAULT
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.vehicle import Vehicle, load_vehicle
from conegrad_evaluation.bag_evaluation import MATCH_DISTANCE, MAX_RANGE
from conegrad_evaluation.cross.cross_evaluation import cross_evaluate
from conegrad_evaluation.cross.cross_report import table_header, table_rows, write_files
from conegrad_evaluation.cross.findings import find, sentences
from conegrad_evaluation.cross.passes import Recording
from conegrad_evaluation.cross.stage_versions import read_versions, stage_names
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_simulation.scene.world import LEVELS
from conegrad_training.data.sample_stream import evenly
from conegrad_training.data.simulated_samples import SimulatedSamples
from conegrad_training.data.training_data import UNSEEN_SEED

DEFAULT_VEHICLE = "formula_student"
MAX_ROWS = 12  # of the table on a terminal


@dataclass(frozen=True)
class CrossSettings(Config):
    """Settings of the command."""

    stage: tuple[str, ...] = setting(
        (),
        "Stage and its versions: weights files, systems, 'default'; repeatable",
        metavar="STAGE=A,B,...",
        is_repeated=True,
    )
    bags: tuple[Path, ...] = setting((), "Drives with truth", metavar="BAG")
    simulated: int = setting(0, "Simulated frames in place of bags; 0: bags", low=0)
    level: str = setting("varied", "Variety of simulated frames", choices=LEVELS)
    pipeline: str = setting(DEFAULT, PIPELINE)
    frames: int = setting(0, "Frames of each bag, spread evenly; 0: all", low=0)
    track: str = setting("", TRUTH_OF_BAG)
    vehicle: str = setting("", CALIBRATION)
    topic: tuple[str, ...] = topic_setting()
    latency_budget: float | None = setting(
        None, "Largest latency of a system [s] (default: any)", low=1e-6
    )
    max_range: float | None = setting(
        None, "Truth beyond this range is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None,
        "Largest distance of a cone to the truth that it matches [m] (default: of the vehicle)",
        low=1e-6,
    )
    cache: str = setting("", "Folder of cached outputs (default: ports in conegrad's cache)")
    cache_size: float = setting(4.0, "Bound of the cache [GB]", low=0.001, high=1e5)


SETTINGS = CommandSettings({"": CrossSettings(), "jobs": JobsConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Evaluate all combinations, print what is best and where the report is."""
    settings = SETTINGS.read(options)
    own = settings[CrossSettings]
    versions = read_versions(own.stage, stage_names(own.pipeline))
    vehicle = load_vehicle(own.vehicle) if own.vehicle else None
    with JobRunner(settings[JobsConfig]) as runner:
        evaluation = cross_evaluate(
            own.pipeline,
            versions,
            _data(own, vehicle),
            _metrics(own, vehicle),
            runner=runner,
            cache=Path(own.cache).expanduser() if own.cache else cache_folder() / "ports",
            gigabytes=own.cache_size,
            sample_progress=ProgressBar("frames"),
            job_progress=ProgressBar("jobs"),
        )
    findings = find(evaluation, own.latency_budget)
    rows = table_rows(evaluation, findings)
    print("\n".join(text_table([table_header(evaluation), *rows[:MAX_ROWS]])))
    if len(rows) > MAX_ROWS:
        print(f"... and {len(rows) - MAX_ROWS} more in the report")
    print("\n".join(["", *sentences(evaluation, findings)]))
    print(f"report: {write_files(evaluation, findings, options.output)}")


def _data(own: CrossSettings, vehicle: Vehicle | None) -> list[Recording]:
    if bool(own.bags) == bool(own.simulated):
        raise ValueError("expected either --bags or --simulated, to have frames to evaluate")
    if own.simulated:
        car = vehicle or load_vehicle(DEFAULT_VEHICLE)
        return [SimulatedSamples(car, first_seed=UNSEEN_SEED, count=own.simulated, level=own.level)]
    replays = [
        BagReplay(
            bag,
            track=own.track or None,
            vehicle=vehicle,
            topics=read_roles(own.topic),
        )
        for bag in own.bags
    ]
    return [evenly(replay, own.frames) for replay in replays]


def _metrics(own: CrossSettings, vehicle: Vehicle | None) -> EvaluationConfig:
    bounds = vehicle.evaluation if vehicle is not None else None
    return EvaluationConfig(
        match_distance=own.match_distance or (bounds.match_distance if bounds else MATCH_DISTANCE),
        max_range=own.max_range or (bounds.max_range if bounds else MAX_RANGE),
    )
