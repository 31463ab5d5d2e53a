"""Simulation of a drive as a bag, with a map of its cones beside it."""

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
from conegrad_simulation.lidar.clouds.patterns import PATTERNS, lidar_pattern
from conegrad_simulation.lidar.planar_lidar import LidarCaster
from conegrad_simulation.recording.cloud_recording import CloudRecorder, with_cloud_lidar
from conegrad_simulation.recording.drive import (
    DriveConfig,
    OdometryDrift,
    PlannedDrive,
    dead_reckoning,
)
from conegrad_simulation.recording.drive_render import DriveSetup, Picture, cast, rendering
from conegrad_simulation.recording.sensor_messages import (
    TopicMessage,
    VisibleCones,
    cloud_message,
    image_messages,
    odometry_message,
    scan_message,
    stamp_of,
    static_transforms,
    truth_message,
)
from conegrad_simulation.scene.clutter import track_scene
from conegrad_simulation.scene.world import PRESETS, World
from conegrad_simulation.track.track import Track
from conegrad_simulation.track.track_csv import save_csv

CAMERA_PHASE = 0.007  # [s], camera and LiDAR run freely: their stamps differ
ODOMETRY_RATE = 100.0  # [Hz]


@dataclass(frozen=True)
class BagConfig(Config):
    """Contents of a simulated bag."""

    seconds: float = setting(10.0, "Length of the drive [s]", low=0.1, high=36000.0)
    seed: int = setting(1, "Seed of the scene, the ride and the noise", low=0)
    world: str = setting("clear", "Light, ground and weather", choices=tuple(PRESETS))
    camera_rate: float = setting(0.0, "Images per second; 0 is the vehicle's [Hz]", low=0.0)
    scan_rate: float = setting(0.0, "Scans per second; 0 is the vehicle's [Hz]", low=0.0)
    scan_duration: float = setting(
        0.0,
        "Time from the first to the last beam of a scan; 0 is the vehicle's [s]",
        low=0.0,
        high=0.5,
    )
    lidar: str = setting(
        "", "3-D LiDAR in place of the planar one; empty: planar", choices=("", *PATTERNS)
    )
    quality: int = setting(92, "JPEG quality; 0 writes raw images", low=0, high=100)
    truth: bool = setting(True, "Record the true cones, too, which a car does not know")
    speed_error: float = setting(0.0, "Relative error of the odometry's speed", low=-0.5, high=0.5)
    yaw_rate_bias: float = setting(0.0, "Bias of the odometry's yaw rate [rad/s]", low=-1, high=1)


class SimulatedBag(NamedTuple):
    """Result of a simulation.

    Attributes:
        path: of the bag.
        track: path of the map of its cones, CSV.
        seconds: length of the drive [s].
        images: number of images.
        scans: number of scans, or of clouds.
    """

    path: Path
    track: Path
    seconds: float
    images: int
    scans: int


class _BagEvent(NamedTuple):
    time: float
    order: int  # at one time: odometry before sensors
    kind: str
    number: int


def simulate_bag(
    output: Path,
    track: Track,
    vehicle: Vehicle,
    driving: DriveConfig,
    config: BagConfig,
    *,
    workers: int = 1,
    calibrated: Vehicle | None = None,
    progress: Callable[[Iterable[_BagEvent], int], Iterable[_BagEvent]] | None = None,
) -> SimulatedBag:
    """Drive along a track and record it: a pure function of its settings and seed.

    Args:
        output: the bag to create; the map goes to ``<output>_track.csv``.
        track: course to drive.
        vehicle: sensors of the car.
        driving: speeds and limits of the car.
        config: contents of the bag.
        workers: processes that render images.
        calibrated: where the bag says that the sensors are; None: where they are.
        progress: wraps the iterable of events to show progress; called with it and its length.

    Raises:
        ValueError: if the world is not a preset, or the vehicle has no place for a 3-D LiDAR.
        BagError: if the output exists.
    """
    if config.lidar:
        vehicle = with_cloud_lidar(vehicle, lidar_pattern(config.lidar))
    vehicle = _with_scans_of(config, vehicle)
    drive = PlannedDrive(track, driving, config.seed)
    setup = _setup(track, vehicle, drive, config)
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
        rendering(setup, times["camera"], workers) as pictures,
    ):
        recorder = _Recorder(bag, setup, config, times, pictures, calibrated)
        for event in progress(events, len(events)) if progress else events:
            recorder.write(event)
        recorder.finish()
    save_csv(track, map_path)
    return SimulatedBag(output, map_path, seconds, len(times["camera"]), len(times["lidar"]))


class _Recorder:
    """Writes events in the order of time.

    Truth is written at the stamp of each image and each scan. The visibility of a cone is that in
    the newest image and in the newest scan.
    """

    def __init__(
        self,
        bag: BagWriter,
        setup: DriveSetup,
        config: BagConfig,
        times: dict[str, list[float]],
        pictures: Iterator[Picture],
        calibrated: Vehicle | None,
    ) -> None:
        self._bag, self._setup, self._times, self._pictures = bag, setup, times, pictures
        self._with_truth = config.truth
        self._caster = LidarCaster(setup.vehicle.lidar)
        self._clouds: CloudRecorder | None = None
        if config.lidar:
            self._clouds = CloudRecorder(setup, lidar_pattern(config.lidar))
        drift = OdometryDrift(config.speed_error, config.yaw_rate_bias)
        self._odometry = dead_reckoning(setup.drive, np.array(times["odometry"]), drift)
        self._visible = VisibleCones()
        self._early: list[float] = []  # times of truth before the first image and scan
        self._write(0.0, static_transforms(calibrated or setup.vehicle))

    def write(self, event: _BagEvent) -> None:
        """Simulate and write one event."""
        {
            "camera": self._write_image,
            "lidar": self._write_scan,
            "odometry": self._write_odometry,
        }[event.kind](event.time, event.number)

    def finish(self) -> None:
        """Write truth that is held back until the first image and scan."""
        for time in self._early:
            self._write_truth(time)
        self._early = []

    def _write_image(self, time: float, index: int) -> None:
        picture = next(self._pictures)
        self._write(time, *image_messages(stamp_of(time), self._setup.vehicle, picture))
        self._visible = self._visible._replace(camera=picture.visible)
        self._add_truth(time)

    def _write_scan(self, time: float, index: int) -> None:
        start = self._times["lidar"][index]
        if self._clouds is not None:
            cloud = self._clouds.cast(start, index)
            visible = np.unique(cloud.cones[cloud.labels]).astype(np.int64)
            self._write(time, cloud_message(stamp_of(start), cloud))
        else:
            scan = cast(self._setup, self._caster, start, index)
            visible = scan.visible_cones()
            self._write(time, scan_message(stamp_of(start), self._setup.vehicle, scan))
        self._visible = self._visible._replace(lidar=visible)
        self._add_truth(start)

    def _write_odometry(self, time: float, index: int) -> None:
        state = self._setup.drive.state(time)
        self._write(time, odometry_message(stamp_of(time), self._odometry[index], state))

    def _add_truth(self, time: float) -> None:
        if not self._with_truth:
            return
        self._early.append(time)
        if self._visible.camera is not None and self._visible.lidar is not None:
            self.finish()

    def _write_truth(self, time: float) -> None:
        scene, vehicle = self._setup.scene, self._setup.vehicle
        pose = self._setup.drive.state(time).pose
        self._write(time, truth_message(stamp_of(time), scene, vehicle, pose, self._visible))

    def _write(self, time: float, *messages: TopicMessage) -> None:
        for message in messages:
            self._bag.write(message.topic, message.msgtype, stamp_of(time), message.msg)


def _with_scans_of(config: BagConfig, vehicle: Vehicle) -> Vehicle:
    """The vehicle with the scans that the settings ask for."""
    lidar = dataclasses.replace(
        vehicle.lidar,
        rate=config.scan_rate or vehicle.lidar.rate,
        scan_duration=config.scan_duration or vehicle.lidar.scan_duration,
    )
    return dataclasses.replace(vehicle, lidar=lidar)


def _setup(track: Track, vehicle: Vehicle, drive: PlannedDrive, config: BagConfig) -> DriveSetup:
    world = World.preset(config.world)
    scene = track_scene(track, world, config.seed)
    return DriveSetup(vehicle, scene, world, drive, config.seed, config.quality)


def _times(rate: float, seconds: float, phase: float) -> list[float]:
    return [phase + index / rate for index in range(max(1, int((seconds - phase) * rate)))]


def _events(times: dict[str, list[float]]) -> Iterator[_BagEvent]:
    orders = {"odometry": 0, "camera": 1, "lidar": 2}
    return heapq.merge(
        *(
            [_BagEvent(time, orders[kind], kind, index) for index, time in enumerate(times[kind])]
            for kind in times
        )
    )
