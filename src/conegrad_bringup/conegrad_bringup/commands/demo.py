"""Simulate a short drive, perceive it through the live graph, evaluate it and write a report.

The track is one that no training has seen. With a BAG, that drive is taken instead.
"""

import argparse
import os
import time
from pathlib import Path

from conegrad_bringup.bag_options import add_topics, chosen_topics
from conegrad_bringup.commands.evaluate import describe as describe_evaluation
from conegrad_bringup.commands.perceive import describe as describe_play
from conegrad_bringup.options import Bar, fresh_folder, refused_by_option
from conegrad_core.settings.assignments import read_assignments
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.drives.bag_evaluation import evaluate_bag
from conegrad_nodes.playback.perceive import PerceiveOptions, perceive_bag
from conegrad_nodes.playback.this_machine import check_environment
from conegrad_simulation.recording.bag import BagConfig, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.named_track import make_track

OUTPUT = Path("out/demo")
MARKER = ".conegrad-demo"  # in folders that a later demo may replace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", nargs="?", default=None, help="a recorded drive (default: simulate)")
    parser.add_argument(
        "-o", "--output", type=Path, default=OUTPUT, help="folder to write (default: %(default)s)"
    )
    parser.add_argument("--vehicle", default="formula_student", help="of the simulated drive")
    parser.add_argument("--seconds", type=float, default=8.0, help="of the simulated drive")
    parser.add_argument("--seed", type=int, default=2026, help="of the simulated drive")
    parser.add_argument("--track", type=Path, default=None, help="map of the cones for a BAG, CSV")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="parameter of the nodes"
    )
    add_topics(parser)


def run(options: argparse.Namespace) -> None:
    """Run the three steps."""
    started = time.monotonic()
    check_environment()  # ahead of the long simulation
    topics = chosen_topics(options)
    chosen = PerceiveOptions(parameters=read_assignments(options.set, "--set"), topics=topics)
    fresh_folder(options.output, MARKER, force=True)
    bag = Path(options.bag) if options.bag else _simulate(options)
    cones = options.output / "cones"
    print(f"2/3 perceive {bag} through the live graph", flush=True)
    result = perceive_bag(bag, cones, chosen, progress=Bar("perceive"))
    print(describe_play(result), flush=True)
    print("3/3 evaluate", flush=True)
    report = options.output / "report"
    evaluation = evaluate_bag(cones, report, track=options.track, topics=topics)
    print()
    print(describe_evaluation(evaluation))
    print(f"report: {report / 'report.html'}")
    print(f"bag:    {cones}  ({time.monotonic() - started:.0f} s in all)")


def _simulate(options: argparse.Namespace) -> Path:
    print(f"1/3 simulate {options.seconds:g} s on a track of seed {options.seed}", flush=True)
    vehicle = load_vehicle(options.vehicle)
    with refused_by_option():
        config = BagConfig(seconds=options.seconds, seed=options.seed, camera_rate=15.0)
    made = simulate_bag(
        options.output / "drive",
        make_track("random", options.seed, vehicle),
        vehicle,
        DriveConfig(),
        config,
        workers=os.cpu_count() or 1,
        progress=Bar("simulate"),
    )
    return made.path
