"""A sample to learn on: short drives with known faults and a surveyed map, without truth topics."""

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle
from conegrad_data.cone_map.cone_map_csv import save_cones
from conegrad_simulation.planar import Floats
from conegrad_simulation.recording.bag import BagConfig, SimulatedBag, simulate_bag
from conegrad_simulation.recording.drive import DriveConfig
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_random import random_track

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

MAP, README = "cones.csv", "README.txt"
QUALITY = 85  # of JPEG: half the size of the usual 92


@dataclass(frozen=True)
class SampleConfig(Config):
    """What the sample holds; the same settings give the same sample."""

    seconds: float = setting(10.0, "Length of each drive [s]", low=0.5, high=60.0)
    seed: int = setting(2026, "Seed of the scene, the ride and the noise", low=0)
    camera_rate: float = setting(8.0, "Images per second; 0 is the vehicle's [Hz]", low=0.0)
    knock: float = setting(
        4.0, "Angle by which the camera was knocked to the left [degrees]", low=-20.0, high=20.0
    )
    survey_error: float = setting(
        0.02, "Standard deviation of x and y of the surveyed cones [m]", low=0.0, high=0.5
    )


class SampleDrive(NamedTuple):
    """One drive of the sample.

    Attributes:
        name: of its bag.
        world: preset of light and weather.
        is_knocked: the camera hangs elsewhere than the bag says.
        told: what the README says of it.
    """

    name: str
    world: str
    is_knocked: bool
    told: str


DRIVES = (
    SampleDrive("clear", "clear", False, "a lap by day; nothing is wrong with it"),
    SampleDrive("dusk", "dusk_rain", False, "the same lap at dusk, in the rain"),
    SampleDrive(
        "knocked",
        "clear",
        True,
        "the same lap by day; the camera was knocked to the left, and its calibration in the bag "
        "is that of before",
    ),
)
SURVEY = (
    12.0,
    -5.0,
    math.radians(40.0),
)  # x, y [m], yaw: the frame of the map in that of the track


def make_sample(
    folder: Path,
    vehicle: Vehicle,
    config: SampleConfig,
    *,
    workers: int = 1,
    progress: Callable[[str], Progress] | None = None,
) -> list[SimulatedBag]:
    """Simulate the drives, and write the surveyed map and the README beside them.

    Args:
        folder: that exists and holds none of these.
        vehicle: the car as it was calibrated.
        config: what the sample holds.
        workers: processes that render images.
        progress: gives what shows the progress of a drive, by its name.

    Raises:
        BagError: if a bag exists.
    """
    track = random_track(config.seed).scaled(vehicle.cone_spacing_scale)
    made = []
    for index, drive in enumerate(DRIVES):
        recorded = BagConfig(
            seconds=config.seconds,
            seed=config.seed + index,
            world=drive.world,
            camera_rate=config.camera_rate,
            quality=QUALITY,
            truth=False,
        )
        bag = simulate_bag(
            folder / drive.name,
            track,
            knocked(vehicle, config.knock) if drive.is_knocked else vehicle,
            DriveConfig(),
            recorded,
            workers=workers,
            calibrated=vehicle,
            progress=progress(drive.name) if progress else None,
        )
        bag.track.unlink()  # the true map: nobody has it
        made.append(bag)
    save_cones(surveyed(track, config), track.classes, folder / MAP)
    (folder / README).write_text(readme(config), encoding="utf-8")
    return made


def knocked(vehicle: Vehicle, degrees: float) -> Vehicle:
    """The vehicle with its camera turned to the left, as by the disturbance ``camera_yaw``."""
    mounting = vehicle.camera.mounting
    turned = dataclasses.replace(mounting, yaw=mounting.yaw + math.radians(degrees))
    return dataclasses.replace(vehicle, camera=dataclasses.replace(vehicle.camera, mounting=turned))


def surveyed(track: Track, config: SampleConfig) -> Floats:
    """The cones ``(N, 2)`` as a tape measure gives them: in a frame of its own, with errors [m]."""
    x, y, yaw = SURVEY
    cosine, sine = math.cos(yaw), math.sin(yaw)
    survey_from_track = np.array([[cosine, sine], [-sine, cosine]])
    errors = np.random.default_rng(config.seed).normal(
        scale=config.survey_error, size=track.positions.shape
    )
    moved: Floats = (track.positions - [x, y]) @ survey_from_track.T + errors
    return moved


def readme(config: SampleConfig) -> str:
    """What is planted in the sample, and the commands that find it."""
    drives = "\n".join(f"  {drive.name:<9}{drive.told}" for drive in DRIVES)
    errors = f"{100 * config.survey_error:g} cm"
    return f"""A sample of ConeGrad: simulated drives with known faults, and a surveyed map.

{drives}
  {MAP}  map of all cones (x, y, colour), in the frame of whoever measured it

The bags hold images, scans, odometry and calibration, and no truth, as bags of a car do.

What is planted, and what finds it:
  - the map has an origin and a heading of its own, and errors of {errors}: align
  - the light of 'dusk' is not that of 'clear': monitor, evaluate
  - the camera of 'knocked' looks {config.knock:g} degrees further to the left than its
    calibration says (the disturbance camera_yaw): attribute

The first three commands, in the folder of this file:
  conegrad info clear
  conegrad align clear --track {MAP} -o clear_map.csv
  conegrad perceive clear -o clear_cones

and the report of what was perceived:
  conegrad evaluate clear_cones --track clear_map.csv

docs/season.md goes on from here: the other drives, a training, a release and the way back.
"""
