"""Simulates a drive and writes it as a bag, with the map of its cones beside it."""

import dataclasses
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.writer import BagWriter
from conegrad_simulation.lidar.planar_lidar import LidarCaster
from conegrad_simulation.recording.drive import Drive, DriveConfig, OdometryDrift, dead_reckoning
from conegrad_simulation.recording.drive_render import Picture, Stage, cast, rendering
from conegrad_simulation.recording.sensor_messages import (
    Entry,
    Seen,
    image_entries,
    odometry_entry,
    scan_entry,
    stamp_of,
    static_transforms,
    truth_entry,
)
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_csv import save_csv

CAMERA_PHASE = 0.007  # [s], camera and LiDAR run freely: their stamps differ
ODOMETRY_RATE = 100.0  # [Hz]


@dataclass(frozen=True)
class BagConfig(Config):
    """What a simulated bag holds."""

    seconds: float = setting(10.0, "Length of the drive [s]", low=0.1, high=36000.0)
    seed: int = setting(1, "Seed of the scene, the ride and the noise", low=0)
    world: str = setting("clear", "Preset of the simulated world, such as clear or dusk_rain")
    camera_rate: float = setting(0.0, "Images per second; 0 is the vehicle's [Hz]", low=0.0)
    scan_rate: float = setting(0.0, "Scans per second; 0 is the vehicle's [Hz]", low=0.0)
    scan_duration: float = setting(
        0.0, "From the first to the last beam of a scan; 0 is the vehicle's [s]", low=0.0, high=0.5
    )
    quality: int = setting(92, "JPEG quality; 0 writes raw images", low=0, high=100)
    speed_error: float = setting(0.0, "Relative error of the odometry's speed", low=-0.5, high=0.5)
    yaw_rate_bias: float = setting(0.0, "Bias of the odometry's yaw rate [rad/s]", low=-1, high=1)


class SimulatedBag(NamedTuple):
    """What was written: the bag, the map of its cones (CSV), and counts."""

    path: Path
    track: Path
    seconds: float
    images: int
    scans: int


class _Event(NamedTuple):
    time: float
    order: int  # at one time: odometry before sensors
    kind: str
    index: int


def simulate_bag(
    output: Path,
    track: Track,
    vehicle: Vehicle,
    driving: DriveConfig,
    config: BagConfig,
    *,
    workers: int = 1,
    progress: Callable[[Iterable[_Event], int], Iterable[_Event]] | None = None,
) -> SimulatedBag:
    """Drive along a track and record it: a pure function of its settings and seed.

    Args:
        output: the bag to create; the map goes to ``<output>_track.csv``.
        track: where to drive.
        vehicle: the sensors.
        driving: how fast.
        config: what is recorded.
        workers: processes that render images.
        progress: wraps the events to show progress; given them and their number.

    Raises:
        ValueError: if the world is no preset.
        BagError: if the output exists.
    """
    vehicle = _with_scans_of(config, vehicle)
    drive = Drive(track, driving, config.seed)
    stage = _stage(track, vehicle, drive, config)
    seconds = min(config.seconds, drive.duration)
    times = {
        "camera": _times(config.camera_rate or vehicle.camera.rate, seconds, CAMERA_PHASE),
        "lidar": _times(vehicle.lidar.rate, seconds, 0.0),
        "odometry": _times(
            ODOMETRY_RATE, seconds + vehicle.lidar.scan_duration + 1 / ODOMETRY_RATE, 0.0
        ),
    }
    written = {**times, "lidar": [time + vehicle.lidar.scan_duration for time in times["lidar"]]}
    events = list(_events(written))
    map_path = output.with_name(f"{output.name}_track.csv")
    is_raw = config.quality == 0
    with (
        BagWriter(output, is_compressed=is_raw, removed_by=BaseException) as bag,
        rendering(stage, times["camera"], workers) as pictures,
    ):
        recorder = _Recorder(bag, stage, config, times, pictures)
        for event in progress(events, len(events)) if progress else events:
            recorder.write(event)
        recorder.finish()
    save_csv(track, map_path)
    return SimulatedBag(output, map_path, seconds, len(times["camera"]), len(times["lidar"]))


class _Recorder:
    """Writes events in the order of time.

    Truth is written at the stamp of each image and each scan; whether a sensor could see a cone
    is known for its newest image and its newest scan.
    """

    def __init__(
        self,
        bag: BagWriter,
        stage: Stage,
        config: BagConfig,
        times: dict[str, list[float]],
        pictures: Iterator[Picture],
    ) -> None:
        self._bag, self._stage, self._times, self._pictures = bag, stage, times, pictures
        self._caster = LidarCaster(stage.vehicle.lidar)
        drift = OdometryDrift(config.speed_error, config.yaw_rate_bias)
        self._odometry = dead_reckoning(stage.drive, np.array(times["odometry"]), drift)
        self._seen = Seen()
        self._early: list[float] = []  # times of truth before both sensors have seen anything
        self._write(0.0, static_transforms(stage.vehicle))

    def write(self, event: _Event) -> None:
        """Simulate and write one event."""
        {
            "camera": self._write_image,
            "lidar": self._write_scan,
            "odometry": self._write_odometry,
        }[event.kind](event.time, event.index)

    def finish(self) -> None:
        """Write truth that waits for a sensor that has not seen anything."""
        for time in self._early:
            self._write_truth(time)
        self._early = []

    def _write_image(self, time: float, index: int) -> None:
        picture = next(self._pictures)
        self._write(time, *image_entries(stamp_of(time), self._stage.vehicle, picture))
        self._seen = self._seen._replace(camera=picture.seen)
        self._add_truth(time)

    def _write_scan(self, time: float, index: int) -> None:
        start = self._times["lidar"][index]
        scan = cast(self._stage, self._caster, start, index)
        self._write(time, scan_entry(stamp_of(start), self._stage.vehicle, scan))
        self._seen = self._seen._replace(lidar=scan.seen())
        self._add_truth(start)

    def _write_odometry(self, time: float, index: int) -> None:
        state = self._stage.drive.state(time)
        self._write(time, odometry_entry(stamp_of(time), self._odometry[index], state))

    def _add_truth(self, time: float) -> None:
        self._early.append(time)
        if self._seen.camera is not None and self._seen.lidar is not None:
            self.finish()

    def _write_truth(self, time: float) -> None:
        scene, vehicle = self._stage.scene, self._stage.vehicle
        pose = self._stage.drive.state(time).pose
        self._write(time, truth_entry(stamp_of(time), scene, vehicle, pose, self._seen))

    def _write(self, time: float, *entries: Entry) -> None:
        for entry in entries:
            self._bag.write(entry.topic, entry.msgtype, stamp_of(time), entry.msg)


def _with_scans_of(config: BagConfig, vehicle: Vehicle) -> Vehicle:
    """The vehicle with the scans that the settings ask for."""
    lidar = dataclasses.replace(
        vehicle.lidar,
        rate=config.scan_rate or vehicle.lidar.rate,
        scan_duration=config.scan_duration or vehicle.lidar.scan_duration,
    )
    return dataclasses.replace(vehicle, lidar=lidar)


def _stage(track: Track, vehicle: Vehicle, drive: Drive, config: BagConfig) -> Stage:
    world = World.preset(config.world)
    scene = track_scene(track, world, config.seed)
    return Stage(vehicle, scene, world, drive, config.seed, config.quality)


def _times(rate: float, seconds: float, phase: float) -> list[float]:
    return [phase + index / rate for index in range(max(1, int((seconds - phase) * rate)))]


def _events(times: dict[str, list[float]]) -> Iterator[_Event]:
    orders = {"odometry": 0, "camera": 1, "lidar": 2}
    return heapq.merge(
        *(
            [_Event(time, orders[kind], kind, index) for index, time in enumerate(times[kind])]
            for kind in times
        )
    )
