"""Simulates a drive and writes it as a bag, with the map of its cones beside it."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from conegrad_core.cones import TrueCones
from conegrad_core.config import Config, setting
from conegrad_core.vehicle import Vehicle
from conegrad_nodes.bags import messages
from conegrad_nodes.bags.folder_import import camera_info, sensor_transforms
from conegrad_nodes.bags.writer import BagWriter
from conegrad_simulation.drive import Drive, DriveConfig, OdometryDrift, dead_reckoning
from conegrad_simulation.drive_render import Picture, Stage, cast, in_lidar, rendering
from conegrad_simulation.furnishing import furnished_scene
from conegrad_simulation.lidar import LidarCaster
from conegrad_simulation.track import Track
from conegrad_simulation.track_csv import save_csv, track_from_csv
from conegrad_simulation.track_events import acceleration, skidpad
from conegrad_simulation.track_random import random_track
from conegrad_simulation.world import World

START_NS = 1_700_000_000 * messages.NANOSECONDS  # stamp of the start of every simulated drive
CAMERA_PHASE = 0.007  # [s], camera and LiDAR run freely: their stamps differ
ODOMETRY_RATE = 100.0  # [Hz]
TRUTH_RANGE = 30.0  # [m]
CLEAR_LINE_STEP = 8  # every so many points of the centre line are kept free of obstacles


@dataclass(frozen=True)
class BagConfig(Config):
    """What a simulated bag holds."""

    seconds: float = setting(10.0, "Length of the drive [s]", low=0.1, high=36000.0)
    seed: int = setting(1, "Seed of the scene, the ride and the noise", low=0)
    world: str = setting("clear", "Preset of the simulated world, such as clear or dusk_rain")
    camera_rate: float = setting(0.0, "Images per second; 0 is the vehicle's [Hz]", low=0.0)
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


def make_track(name: str, seed: int, vehicle: Vehicle) -> Track:
    """Track by name: ``random`` (of the seed), ``acceleration``, ``skidpad``, or a CSV file.

    Raises:
        ValueError: if the name is none of these, or the file is no map of cones.
        FileNotFoundError: if the file is missing.
    """
    made = {"random": lambda: random_track(seed), "acceleration": acceleration, "skidpad": skidpad}
    if name in made:
        return made[name]().scaled(vehicle.cone_spacing_scale)
    if not name.endswith(".csv"):
        raise ValueError(f"track is {name!r}, expected {', '.join(made)} or a file *.csv")
    return track_from_csv(name)


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
    stage = _stage(track, vehicle, driving, config)
    seconds = min(config.seconds, stage.drive.duration)
    times = {
        "camera": _times(config.camera_rate or vehicle.camera.rate, seconds, CAMERA_PHASE),
        "lidar": _times(vehicle.lidar.rate, seconds, 0.0),
        "odometry": _times(ODOMETRY_RATE, seconds + 1 / ODOMETRY_RATE, 0.0),
    }
    events = list(_events(times))
    map_path = output.with_name(f"{output.name}_track.csv")
    with (
        BagWriter(output, is_compressed=config.quality == 0) as bag,
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
        self._seen_by_camera: npt.NDArray[np.int64] | None = None
        self._seen_by_lidar: npt.NDArray[np.int64] | None = None
        self._early: list[float] = []  # times of truth before both sensors have seen anything
        transforms = messages.transforms_msg(START_NS, sensor_transforms(stage.vehicle))
        bag.write("/tf_static", "tf2_msgs/msg/TFMessage", START_NS, transforms)

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
        stamp = _stamp(time)
        picture = next(self._pictures)
        info = camera_info(stamp, self._stage.vehicle)
        self._bag.write("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, info)
        if isinstance(picture.data, bytes):
            msg = messages.compressed_image_msg(stamp, "camera_optical", picture.data, "jpeg")
            topic, msgtype = "/image_raw/compressed", "sensor_msgs/msg/CompressedImage"
        else:
            msg = messages.image_msg(stamp, "camera_optical", picture.data)
            topic, msgtype = "/image_raw", "sensor_msgs/msg/Image"
        self._bag.write(topic, msgtype, stamp, msg)
        self._seen_by_camera = picture.seen
        self._add_truth(time)

    def _write_scan(self, time: float, index: int) -> None:
        scan = cast(self._stage, self._caster, time, index)
        lidar, stamp = self._stage.vehicle.lidar, _stamp(time)
        msg = messages.scan_msg(
            stamp,
            "lidar",
            scan.ranges,
            angle_min=lidar.angle_min,
            angle_increment=lidar.angle_increment,
            range_min=lidar.range_min,
            range_max=lidar.range_max,
            scan_time=1 / lidar.rate,
        )
        self._bag.write("/scan", "sensor_msgs/msg/LaserScan", stamp, msg)
        self._seen_by_lidar = np.unique(scan.cones[scan.cones >= 0])
        self._add_truth(time)

    def _write_odometry(self, time: float, index: int) -> None:
        state, stamp = self._stage.drive.state(time), _stamp(time)
        msg = messages.odometry_msg(
            stamp, self._odometry[index], speed=state.speed, yaw_rate=state.yaw_rate
        )
        self._bag.write("/odom", "nav_msgs/msg/Odometry", stamp, msg)

    def _add_truth(self, time: float) -> None:
        self._early.append(time)
        if self._seen_by_camera is not None and self._seen_by_lidar is not None:
            self.finish()

    def _write_truth(self, time: float) -> None:
        scene, vehicle = self._stage.scene, self._stage.vehicle
        positions = in_lidar(scene.cone_positions, self._stage.drive.state(time).pose, vehicle)
        near = np.flatnonzero(np.linalg.norm(positions, axis=1) < TRUTH_RANGE)
        truth = TrueCones(
            positions=torch.from_numpy(positions[near]),
            classes=torch.from_numpy(scene.cone_classes[near]),
            visible_camera=torch.from_numpy(_contains(self._seen_by_camera, near)),
            visible_lidar=torch.from_numpy(_contains(self._seen_by_lidar, near)),
        )
        stamp = _stamp(time)
        msg = messages.truth_msg(stamp, "lidar", truth, -vehicle.lidar_height)
        self._bag.write("/truth", "conegrad_msgs/msg/TruthCones", stamp, msg)


def _stage(track: Track, vehicle: Vehicle, driving: DriveConfig, config: BagConfig) -> Stage:
    world = World.preset(config.world)
    keep_clear = track.centre_line[::CLEAR_LINE_STEP]
    scene = furnished_scene(track.positions, track.classes, keep_clear, world, config.seed)
    drive = Drive(track, driving, config.seed)
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


def _stamp(time: float) -> int:
    return START_NS + round(time * messages.NANOSECONDS)


def _contains(rows: npt.NDArray[np.int64] | None, wanted: npt.NDArray[np.int64]) -> Any:
    if rows is None:
        return np.zeros(len(wanted), dtype=bool)
    return np.isin(wanted, rows)
