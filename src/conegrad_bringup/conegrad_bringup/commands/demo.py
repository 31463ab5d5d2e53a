"""Simulate a short drive, perceive it through the live graph, evaluate it and write a report.

The track is one that no training has seen. With a BAG, that drive is taken instead.
"""

import argparse
import os
import time
from dataclasses import dataclass, fields
from pathlib import Path

from conegrad_bringup.bag_options import (
    PERCEPTION_PARAMETERS,
    PIPELINE,
    TRUTH_OF_BAG,
    VEHICLE,
    read_roles,
    topic_setting,
)
from conegrad_bringup.commands.evaluation.evaluate import describe as describe_evaluation
from conegrad_bringup.commands.perceive import describe as describe_play
from conegrad_bringup.output_folder import fresh_folder
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings, EffectiveSettings, Group
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.bag_evaluation import evaluate_bag
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.this_machine import check_environment
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track

OUTPUT = Path("out/demo")
MARKER = ".conegrad-demo"  # in folders that a later demo may replace


@dataclass(frozen=True)
class DemoSettings(Config):
    """Settings of the command itself."""

    pipeline: str = setting("", f"{PIPELINE}; empty: as the parameters say, else camera_lidar")
    vehicle: str = setting("formula_student", VEHICLE)
    track: str = setting("", TRUTH_OF_BAG)
    topic: tuple[str, ...] = topic_setting()


# Half the images of a usual drive: the demonstration is to be short.
DRIVE = BagConfig(seconds=8.0, seed=2026, camera_rate=15.0)
FIXED = tuple(field.name for field in fields(BagConfig) if field.name not in ("seconds", "seed"))
SETTINGS = CommandSettings(
    {"": DemoSettings(), "bag": Group(DRIVE, leave_out=FIXED)}, {"": PERCEPTION_PARAMETERS}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", nargs="?", default=None, help="a recorded drive (default: simulate)")
    parser.add_argument(
        "-o", "--output", type=Path, default=OUTPUT, help="folder to write (default: %(default)s)"
    )
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Run the three steps."""
    started = time.monotonic()
    check_environment()  # ahead of the long simulation
    settings = SETTINGS.read(options)
    own = settings[DemoSettings]
    topics = read_roles(own.topic)
    chosen = PerceiveOptions(
        pipeline=own.pipeline, parameters=settings.parameters[""], topics=topics
    )
    fresh_folder(options.output, MARKER, force=True)
    bag = Path(options.bag) if options.bag else _simulate(options.output, settings)
    cones = options.output / "cones"
    print(f"2/3 perceive {bag} through the live graph", flush=True)
    result = perceive_bag(bag, cones, chosen, progress=ProgressBar("perceive"))
    print(describe_play(result), flush=True)
    print("3/3 evaluate", flush=True)
    report = options.output / "report"
    evaluation = evaluate_bag(
        cones, report, track=Path(own.track) if own.track else None, topics=topics
    )
    print()
    print(describe_evaluation(evaluation))
    print(f"report: {report / 'report.html'}")
    print(f"bag:    {cones}  ({time.monotonic() - started:.0f} s in all)")


def _simulate(output: Path, settings: EffectiveSettings) -> Path:
    own, config = settings[DemoSettings], settings[BagConfig]
    print(f"1/3 simulate {config.seconds:g} s on a track of seed {config.seed}", flush=True)
    vehicle = load_vehicle(own.vehicle)
    made = simulate_bag(
        output / "drive",
        make_track("random", config.seed, vehicle),
        vehicle,
        DriveConfig(),
        config,
        workers=os.cpu_count() or 1,
        progress=ProgressBar("simulate"),
    )
    return made.path
