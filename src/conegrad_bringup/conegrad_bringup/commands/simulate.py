"""Drive a simulated car along a track and record what its sensors see as a bag (MCAP).

The bag holds image_raw/compressed (or image_raw), camera_info, scan, odom, tf_static and truth;
the map of the cones is written beside it as OUTPUT_track.csv. The same options give the same bag.
"""

import argparse
import os

from conegrad_bringup.options import Bar, add_config, read_config
from conegrad_bringup.output_bag import add_output, output_bag
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_output(parser)
    parser.add_argument(
        "--track",
        default="random",
        help="random (of the seed), acceleration, skidpad, or a CSV file of cones",
    )
    parser.add_argument(
        "--vehicle", default="formula_student", help="preset by name, or a YAML file"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes that render images"
    )
    add_config(parser, BagConfig)
    add_config(parser, DriveConfig)


def run(options: argparse.Namespace) -> None:
    """Simulate and say what was written."""
    vehicle = load_vehicle(options.vehicle)
    config = read_config(options, BagConfig)
    driving = read_config(options, DriveConfig)
    track = make_track(options.track, config.seed, vehicle)
    with output_bag(options) as output:
        made = simulate_bag(
            output,
            track,
            vehicle,
            driving,
            config,
            workers=options.workers,
            progress=Bar("simulate"),
        )
    print(f"{made.path}: {made.seconds:.1f} s, {made.images} images, {made.scans} scans")
    print(f"{made.track}: map of the cones")
