"""Drive a simulated car along a track and record what its sensors see as a bag (MCAP).

The bag holds image_raw/compressed (or image_raw), camera_info, scan (with --lidar points of a 3-D
LiDAR in its place), odom, tf_static and truth; the map of the cones is written beside it as
OUTPUT_track.csv. The same options give the same bag.
"""

import argparse
import os
from dataclasses import dataclass

from conegrad_bringup.bag_options import VEHICLE
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track


@dataclass(frozen=True)
class SimulateSettings(Config):
    """Settings of the command itself."""

    track: str = setting(
        "random", "Track: random (of the seed), acceleration, skidpad, or a map of the cones (CSV)"
    )
    vehicle: str = setting("formula_student", VEHICLE)
    workers: int = setting(0, "Processes that render images; 0: one per CPU", low=0)


SETTINGS = CommandSettings({"": SimulateSettings(), "bag": BagConfig(), "drive": DriveConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_output(parser)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Simulate and say what was written."""
    settings = SETTINGS.read(options)
    own, config = settings[SimulateSettings], settings[BagConfig]
    vehicle = load_vehicle(own.vehicle)
    track = make_track(own.track, config.seed, vehicle)
    with output_bag(options) as output:
        made = simulate_bag(
            output,
            track,
            vehicle,
            settings[DriveConfig],
            config,
            workers=own.workers or os.cpu_count() or 1,
            progress=ProgressBar("simulate"),
        )
    print(f"{made.path}: {made.seconds:.1f} s, {made.images} images, {made.scans} scans")
    print(f"{made.track}: map of the cones")
