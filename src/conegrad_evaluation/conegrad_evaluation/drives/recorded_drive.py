"""What a recorded drive says about its cones: everything but images and scans."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationError
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.decode import cones_from_msg, read_header
from conegrad_data.recording.bag_index import NANOSECONDS, Handler, MessageReference
from conegrad_data.recording.headers import first_frame
from conegrad_data.recording.info import BagInfo, describe
from conegrad_data.recording.motion import moved_cones
from conegrad_data.recording.odometry_track import LidarMotion, Odometry, OdometryReader
from conegrad_data.recording.recorded_calibration import (
    lidar_on_base,
    recorded_frames,
    recorded_view,
    sensor_calibration,
)
from conegrad_data.recording.scan_reading import ScanView
from conegrad_data.recording.truth import truth_in_frame
from conegrad_data.topics.topics import TopicChoice, choose_topics

NEEDED = ("cones", "odom", "truth", "tf_static")  # roles; without another one less is drawn
SLOWEST = 5.0  # [s], a receive time further from its stamp is of another clock


class DriveFrame(NamedTuple):
    """The cones of one instant.

    Attributes:
        stamp_ns: that the positions hold for.
        cones: in the frame of the drive's cones.
        camera_ns: stamp of the image that took part; None if none did.
        lidar_ns: stamp of the scan that took part; None if none did.
        delay: from the stamp to the reception of the message [s].
    """

    stamp_ns: int
    cones: Cones
    camera_ns: int | None
    lidar_ns: int | None
    delay: float


class Delay(NamedTuple):
    """One latency: when it was measured [ns] and how long it was [s]."""

    stamp_ns: int
    seconds: float


@dataclass
class RecordedDrive:
    """A recorded drive with its cones.

    Attributes:
        path: the bag.
        info: topics, roles, and what is missing.
        frames: the published cones, by stamp.
        motion: poses of the car, and the mounting of the frame of the cones.
        calibration: place of the cones' frame in the image; None where it is unknown.
        scan_view: of the LiDAR, where known; None where no LiDAR ever took part.
        truth_stamps: stamps of recorded truth.
        load_truth: reads the truth of such a stamp, in the frame of the cones.
        delays: latency of the cones.
        notes: what could not be done, and why.
    """

    path: Path
    info: BagInfo
    frames: list[DriveFrame]
    motion: LidarMotion
    calibration: Calibration | None
    scan_view: ScanView | None
    truth_stamps: list[int]
    load_truth: Callable[[int], TrueCones]
    delays: list[Delay]
    notes: list[str] = field(default_factory=list)

    @property
    def odometry(self) -> Odometry:
        """Poses of the car."""
        return self.motion.odometry

    @property
    def base_from_lidar(self) -> Tensor | None:
        """``(4, 4)`` place of the cones' frame; None where neither bag nor vehicle states it."""
        return self.motion.base_from_lidar

    def lidar_motion(self, to_ns: int, from_ns: int) -> Tensor | None:
        """``(4, 4)`` ``lidar_at_to_from_lidar_at_from``; None without odometry and mounting."""
        return self.motion.lidar_motion(to_ns, from_ns)

    def lidar_pose(self, stamp_ns: int) -> Tensor | None:
        """``(4, 4)`` ``odom_from_lidar``; None without odometry and mounting."""
        return self.motion.lidar_pose(stamp_ns)

    def seconds(self, stamp_ns: int) -> float:
        """Time since the first cones [s]."""
        return (stamp_ns - self.frames[0].stamp_ns) / NANOSECONDS


class _Messages:
    """What one pass over a bag collects for the evaluation."""

    def __init__(self, bag: BagReader, roles: Mapping[str, str], odometry: OdometryReader) -> None:
        self._bag, self._roles, self._odometry = bag, roles, odometry
        self.latency_topic = _latency_topic(bag)
        self.cones: list[tuple[int, Any]] = []
        self.truth: dict[int, RawMessage] = {}
        self.latencies: list[Delay] = []

    def handlers(self) -> dict[str, Handler]:
        """The handler of each topic."""
        by_role: dict[str, Handler] = {
            "cones": self._take_cones,
            "odom": self._take_odometry,
            "truth": self._take_truth,
        }
        roles = self._roles
        handlers = {roles[role]: take for role, take in by_role.items() if role in roles}
        if self.latency_topic is not None:
            handlers[self.latency_topic] = self._take_latency
        return handlers

    def _take_cones(self, raw: RawMessage, _: MessageReference | None) -> None:
        self.cones.append((raw.receive_ns, self._bag.decode(raw)))

    def _take_odometry(self, raw: RawMessage, _: MessageReference | None) -> None:
        self._odometry.add(self._bag.decode(raw))

    def _take_truth(self, raw: RawMessage, _: MessageReference | None) -> None:
        self.truth[read_header(raw.data).stamp_ns] = raw

    def _take_latency(self, raw: RawMessage, _: MessageReference | None) -> None:
        self.latencies.append(Delay(raw.receive_ns, float(self._bag.decode(raw).data)))


def read_drive(
    path: str | Path, vehicle: Vehicle | None = None, topics: Mapping[str, str] | None = None
) -> RecordedDrive:
    """Read the cones, truth, odometry and calibration of a bag, in one pass over it.

    Args:
        path: the bag.
        vehicle: preset that replaces its calibration.
        topics: topics that the user chose, by role.

    Raises:
        BagError: if the bag cannot be read, holds no cones, several topics could be the cones, the
            odometry or the truth, or its truth is in a frame that nothing joins to the LiDAR.
        FileNotFoundError: if there is no bag.
    """
    with BagReader(path) as bag:
        return _read(bag, _chosen(bag, topics), vehicle)


def _chosen(bag: BagReader, given: Mapping[str, str] | None) -> TopicChoice:
    """The topics of a drive that can be evaluated.

    Raises:
        BagError: if there are no cones, or several topics could be one that is needed.
    """
    choice = choose_topics(bag, given)
    if ambiguities := [choice.ambiguities[role] for role in NEEDED if role in choice.ambiguities]:
        raise BagError("\n".join(ambiguities))
    if "cones" not in choice.roles:
        cones = str(Path(bag.path).with_suffix("")) + "_cones"
        raise BagError(
            f"{bag.path} has no cones to evaluate; run it through the graph first: "
            f"conegrad perceive {shlex.quote(str(bag.path))} -o {shlex.quote(cones)}"
        )
    return choice


def _read(bag: BagReader, choice: TopicChoice, vehicle: Vehicle | None) -> RecordedDrive:
    roles = choice.roles
    static = recorded_frames(bag, roles.get("tf_static"))
    bodies = static if vehicle is None else StaticFrames.of_vehicle(vehicle)
    odometry = OdometryReader(bodies, roles.get("odom", ""))
    found = _Messages(bag, roles, odometry)
    info = describe(bag, choice, static, found.handlers())
    frames, cone_frame = _drive_frames(found.cones, bodies, roles["cones"])
    base_frame = odometry.base_frame
    notes = [*info.warnings, *info.notes.values(), *info.ambiguities.values()]
    notes += [*odometry.notes, *odometry.faults]
    base_from_lidar = _base_from_lidar(bodies, base_frame, cone_frame, vehicle, notes)
    return RecordedDrive(
        path=bag.path,
        info=info,
        frames=frames,
        motion=LidarMotion(odometry.result(), base_from_lidar),
        calibration=_calibration(bag, roles, static, cone_frame, base_from_lidar, vehicle, notes),
        scan_view=None if cone_frame == base_frame else recorded_view(bag, roles, vehicle),
        truth_stamps=list(found.truth),
        load_truth=lambda stamp: truth_in_frame(bag.decode(found.truth[stamp]), cone_frame, static),
        delays=_delays(found, frames, notes),
        notes=notes,
    )


def _drive_frames(
    rows: list[tuple[int, Any]], bodies: StaticFrames, topic: str
) -> tuple[list[DriveFrame], str]:
    """The frames, and the frame of all cones: that of the first with a LiDAR, else the first."""
    with_lidar = [msg for _, msg in rows if msg.lidar_used]
    cone_frame = (with_lidar or [msg for _, msg in rows])[0].header.frame_id
    frames: dict[int, DriveFrame] = {}
    for receive_ns, msg in rows:
        stamp = _nanoseconds(msg.header.stamp)
        frames[stamp] = DriveFrame(
            stamp,
            _in_frame(cones_from_msg(msg), msg.header.frame_id, cone_frame, bodies, topic),
            _nanoseconds(msg.camera_stamp) if msg.camera_used else None,
            _nanoseconds(msg.lidar_stamp) if msg.lidar_used else None,
            (receive_ns - stamp) / NANOSECONDS,
        )
    return [frames[stamp] for stamp in sorted(frames)], cone_frame


def _in_frame(cones: Cones, frame: str, cone_frame: str, bodies: StaticFrames, topic: str) -> Cones:
    """Cones of one frame in another: a camera alone gives them in that of the base."""
    if frame == cone_frame:
        return cones
    try:
        return moved_cones(cones, torch.from_numpy(bodies.lookup(cone_frame, frame)))
    except FrameError as error:
        raise BagError(f"{topic}: frame {frame!r} beside {cone_frame!r}: {error}") from error


def _base_from_lidar(
    bodies: StaticFrames,
    base_frame: str,
    cone_frame: str,
    vehicle: Vehicle | None,
    notes: list[str],
) -> Tensor | None:
    try:
        return lidar_on_base(bodies, base_frame, cone_frame, vehicle)
    except FrameError as error:
        notes.append(f"motion is not compensated and pictures lack cones: {error}")
        return None


def _calibration(
    bag: BagReader,
    roles: Mapping[str, str],
    static: StaticFrames,
    cone_frame: str,
    base_from_lidar: Tensor | None,
    vehicle: Vehicle | None,
    notes: list[str],
) -> Calibration | None:
    if base_from_lidar is None or not {"camera_info", "image"} & set(roles):
        return None
    # The frame of the images, as the fusion takes it; without images that of camera_info.
    camera_frame = first_frame(bag, roles.get("image") or roles["camera_info"])
    frames = camera_frame, cone_frame
    try:
        return sensor_calibration(bag, roles, static, frames, base_from_lidar, vehicle)
    except (BagError, FrameError, CalibrationError) as error:
        notes.append(f"cones cannot be drawn into the images: {error}, or give a vehicle")
        return None


def _latency_topic(bag: BagReader) -> str | None:
    names = [name for name, t in bag.topics.items() if name.endswith("latency") and t.is_readable]
    names.sort(key=lambda name: ("pipeline" not in name, "cones" not in name, name))
    return names[0] if names else None


def _delays(found: _Messages, frames: list[DriveFrame], notes: list[str]) -> list[Delay]:
    if found.latency_topic is not None:
        return found.latencies
    delays = [Delay(f.stamp_ns, f.delay) for f in frames if 0 < f.delay < SLOWEST]
    if 2 * len(delays) < len(frames):
        notes.append("no latency: the bag has no latency topic and its clock is not that of stamps")
        return []
    return delays


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)
