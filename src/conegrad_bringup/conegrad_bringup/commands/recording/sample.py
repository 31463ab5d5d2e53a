"""Make a small sample to learn on: three simulated drives with known faults, and a surveyed map.

  conegrad sample -o sample
  conegrad info sample/clear

Nothing is downloaded. OUTPUT gets the bags clear, dusk (rain at dusk) and knocked (the camera does
not hang where its calibration says), the map cones.csv in a frame of its own, and README.txt: what
is planted, and the commands that find it. docs/season.md uses it. The same options give the same
sample.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.bag_options import FORCE, VEHICLE
from conegrad_bringup.output_folder import fresh_folder
from conegrad_bringup.progress_bar import ProgressBar
from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.vehicle import load_vehicle
from conegrad_simulation.recording.sample import DRIVES, MAP, README, SampleConfig, make_sample

MARKER = ".conegrad-sample"  # in folders that a later sample may replace


@dataclass(frozen=True)
class SampleSettings(Config):
    """Settings of the command itself."""

    vehicle: str = setting("formula_student", VEHICLE)
    workers: int = setting(0, "Processes that render images; 0: one per CPU", low=0)


SETTINGS = CommandSettings({"": SampleSettings(), "sample": SampleConfig()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("sample"),
        help="folder to write (default: sample)",
    )
    parser.add_argument("--force", action="store_true", help=FORCE)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Simulate and say what was written."""
    settings = SETTINGS.read(options)
    own, folder = settings[SampleSettings], options.output
    vehicle = load_vehicle(own.vehicle)
    _check_own(folder)
    fresh_folder(folder, MARKER, force=options.force)
    made = make_sample(
        folder,
        vehicle,
        settings[SampleConfig],
        workers=own.workers or os.cpu_count() or 1,
        progress=ProgressBar,
    )
    for bag in made:
        print(f"{bag.path}: {bag.seconds:.1f} s, {bag.images} images, {bag.scans} scans")
    print(f"{folder / MAP}: surveyed map of the cones")
    print(f"{folder / README}: what is planted, and the commands that find it")


def _check_own(folder: Path) -> None:
    """Refuse a folder with results beside the sample: a new one would remove them.

    Raises:
        ValueError: naming the first of them.
    """
    own = {MARKER, MAP, README, *(drive.name for drive in DRIVES)}
    other = sorted({path.name for path in folder.iterdir()} - own) if folder.is_dir() else []
    if other:
        raise ValueError(
            f"{folder} holds {other[0]}, which is not of the sample: choose another folder"
        )
