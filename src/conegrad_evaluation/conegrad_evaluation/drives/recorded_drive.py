"""What a recorded drive says about its cones: everything but images and scans."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from conegrad_core.cones import Cones, TrueCones
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.transforms import rigid_inverse
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationError, usable_calibration
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.decode import (
    cones_from_msg,
    read_header,
    truth_from_msg,
)
from conegrad_data.recording.base_odometry import BASE_FRAME, BaseOdometry
from conegrad_data.recording.info import BagInfo, inspect
from conegrad_data.recording.motion import moved_cones, moved_truth
from conegrad_data.recording.odometry_track import Odometry, OdometryReader, odometry
from conegrad_data.recording.recorded_calibration import (
    check_recorded_size,
    recorded_camera,
    recorded_frames,
)

NEEDED = ("cones", "odom", "truth", "tf_static")  # roles; what else is in doubt is not drawn
NANOSECONDS = 1_000_000_000
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
class Drive:
    """A recorded drive.

    Attributes:
        path: the bag.
        info: topics, roles, and what is missing.
        frames: the published cones, by stamp.
        odometry: poses of the car.
        lidar_frame: frame of the cones: of the LiDAR, or of the base where none ever took part.
        base_from_lidar: ``(4, 4)``; None where neither the bag nor a vehicle tells.
        calibration: place of the LiDAR frame in the image; None where it is unknown.
        scan_view: first and last angle [rad] and longest range [m] of the scan, where known.
        truth_stamps: stamps of recorded truth.
        load_truth: reads the truth of such a stamp, in the LiDAR frame.
        delays: latency of the cones.
        notes: what could not be done, and why.
    """

    path: Path
    info: BagInfo
    frames: list[DriveFrame]
    odometry: Odometry
    lidar_frame: str
    base_from_lidar: Tensor | None
    calibration: Calibration | None
    scan_view: tuple[float, float, float] | None
    truth_stamps: list[int]
    load_truth: Callable[[int], TrueCones]
    delays: list[Delay]
    notes: list[str] = field(default_factory=list)

    def lidar_motion(self, to_ns: int, from_ns: int) -> Tensor | None:
        """``(4, 4)`` ``lidar_at_to_from_lidar_at_from``; None without odometry and mounting."""
        if to_ns == from_ns:
            return torch.eye(4, dtype=torch.float64)
        motion = self.odometry.motion(to_ns, from_ns)
        if motion is None or self.base_from_lidar is None:
            return None
        base_from_lidar = self.base_from_lidar.double()
        moved: Tensor = rigid_inverse(base_from_lidar) @ motion @ base_from_lidar
        return moved

    def lidar_pose(self, stamp_ns: int) -> Tensor | None:
        """``(4, 4)`` ``odom_from_lidar``; None without odometry and mounting."""
        odom_from_base = self.odometry.base_at(stamp_ns)
        if odom_from_base is None or self.base_from_lidar is None:
            return None
        return odom_from_base @ self.base_from_lidar.double()

    def seconds(self, stamp_ns: int) -> float:
        """Time since the first cones [s]."""
        return (stamp_ns - self.frames[0].stamp_ns) / NANOSECONDS


def read_drive(
    path: str | Path, vehicle: Vehicle | None = None, topics: Mapping[str, str] | None = None
) -> Drive:
    """Read the cones, truth, odometry and calibration of a bag.

    Args:
        path: the bag.
        vehicle: preset that replaces its calibration.
        topics: topics that the user chose, by role.

    Raises:
        BagError: if the bag cannot be read, holds no cones, several topics could be the cones, the
            odometry or the truth, or its truth is in a frame that nothing joins to the LiDAR.
        FileNotFoundError: if there is no bag.
    """
    info = inspect(str(path), topics)
    doubts = [info.doubts[role] for role in NEEDED if role in info.doubts]
    if doubts:
        raise BagError("\n".join(doubts))
    if "cones" not in info.roles:
        raise BagError(
            f"{path} has no cones to evaluate; run it through the graph first: "
            f"conegrad perceive {path}"
        )
    with BagReader(path) as bag:
        return _read(bag, info, vehicle)


def _read(bag: BagReader, info: BagInfo, vehicle: Vehicle | None) -> Drive:
    static = recorded_frames(bag, info.roles.get("tf_static"))
    bodies = static if vehicle is None else StaticFrames.of_vehicle(vehicle)
    notes = [*info.warnings, *info.notes.values(), *info.doubts.values()]
    frames, cone_frame = _read_cones(bag, info, bodies)
    poses, base_frame = _read_odometry(bag, info, bodies, notes)
    base_from_lidar = _base_from_lidar(bodies, base_frame, cone_frame, vehicle, notes)
    raw_truth = _raw_by_stamp(bag, info.roles.get("truth"))
    return Drive(
        path=bag.path,
        info=info,
        frames=frames,
        odometry=poses,
        lidar_frame=cone_frame,
        base_from_lidar=base_from_lidar,
        calibration=_calibration(bag, info, static, cone_frame, base_from_lidar, vehicle, notes),
        scan_view=None if cone_frame == base_frame else _scan_view(bag, info, vehicle),
        truth_stamps=list(raw_truth),
        load_truth=_truth_loader(raw_truth, bag, static, cone_frame),
        delays=_read_delays(bag, frames, notes),
        notes=notes,
    )


def _read_cones(
    bag: BagReader, info: BagInfo, bodies: StaticFrames
) -> tuple[list[DriveFrame], str]:
    """The frames, and the frame of all cones: that of the first with a LiDAR, else the first."""
    topic = info.roles["cones"]
    rows = [(receive_ns, msg) for _, receive_ns, msg in bag.messages([topic])]
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


def _read_odometry(
    bag: BagReader, info: BagInfo, bodies: StaticFrames, notes: list[str]
) -> tuple[Odometry, str]:
    """Poses of the base, and its frame."""
    topic = info.roles.get("odom")
    if topic is None:
        return odometry([]), BASE_FRAME
    base_frame, reader = BASE_FRAME, None
    for _, _, msg in bag.messages([topic]):
        if reader is None:
            body = msg.child_frame_id.lstrip("/")
            if BASE_FRAME not in bodies.names and body in bodies.names:
                base_frame = body
                notes.append(f"{topic}: {BASE_FRAME} is not in tf_static, {body} is taken as base")
            reader = OdometryReader(BaseOdometry.of_frames(bodies, base_frame, notes.append), topic)
        reader.add(msg)
    if reader is None:
        return odometry([]), base_frame
    notes.extend(reader.notes)
    return reader.result(), base_frame


def _base_from_lidar(
    bodies: StaticFrames,
    base_frame: str,
    cone_frame: str,
    vehicle: Vehicle | None,
    notes: list[str],
) -> Tensor | None:
    if vehicle is not None and cone_frame not in bodies.names:
        return vehicle.lidar.mounting.base_from_sensor()
    try:
        return torch.from_numpy(bodies.lookup(base_frame, cone_frame))
    except FrameError as error:
        notes.append(f"motion is not compensated and pictures lack cones: {error}")
        return None


def _calibration(
    bag: BagReader,
    info: BagInfo,
    static: StaticFrames,
    cone_frame: str,
    base_from_lidar: Tensor | None,
    vehicle: Vehicle | None,
    notes: list[str],
) -> Calibration | None:
    if base_from_lidar is None or not {"camera_info", "image"} & set(info.roles):
        return None
    try:
        if vehicle is not None:
            camera, camera_frame = vehicle.camera.model(), ""
            camera_from_lidar = (vehicle.camera_from_base() @ base_from_lidar).float()
        else:
            camera, camera_frame = recorded_camera(bag, info.roles), _camera_frame(bag, info)
            found = static.lookup(camera_frame, cone_frame)
            camera_from_lidar = torch.from_numpy(found).float()
        check_recorded_size(bag, info.roles, camera)
        return usable_calibration(camera, camera_from_lidar, base_from_lidar, camera_frame, static)
    except (BagError, FrameError, CalibrationError) as error:
        notes.append(f"cones cannot be drawn into the images: {error}, or give a vehicle")
        return None


def _camera_frame(bag: BagReader, info: BagInfo) -> str:
    """Frame of the images, as the fusion takes it; without images that of camera_info."""
    return str(_first(bag, info.roles.get("image") or info.roles["camera_info"]).header.frame_id)


def _scan_view(
    bag: BagReader, info: BagInfo, vehicle: Vehicle | None
) -> tuple[float, float, float] | None:
    if vehicle is not None:
        angles = vehicle.lidar.angles()
        return float(angles[0]), float(angles[-1]), vehicle.lidar.range_max
    msg = _first(bag, info.roles.get("scan") or info.roles.get("segmentation"))
    if msg is None:
        return (-math.pi, math.pi, math.inf) if "points" in info.roles else None
    last = msg.angle_min + msg.angle_increment * (len(msg.ranges) - 1)
    return float(min(msg.angle_min, last)), float(max(msg.angle_min, last)), float(msg.range_max)


def _first(bag: BagReader, topic: str | None) -> Any:
    return next((msg for _, _, msg in bag.messages([topic])), None) if topic else None


def _raw_by_stamp(bag: BagReader, topic: str | None) -> dict[int, RawMessage]:
    if topic is None:
        return {}
    return {read_header(raw.data).stamp_ns: raw for raw in bag.raw_messages([topic])}


def _truth_loader(
    raw_truth: dict[int, RawMessage], bag: BagReader, static: StaticFrames, lidar_frame: str
) -> Callable[[int], TrueCones]:
    def load(stamp_ns: int) -> TrueCones:
        msg = bag.decode(raw_truth[stamp_ns])
        truth = truth_from_msg(msg)
        if msg.header.frame_id == lidar_frame:
            return truth
        try:
            lidar_from_truth = static.lookup(lidar_frame, msg.header.frame_id)
        except FrameError as error:
            raise BagError(f"{bag.path}: truth: {error}") from error
        return moved_truth(truth, torch.from_numpy(lidar_from_truth))

    return load


def _read_delays(bag: BagReader, frames: list[DriveFrame], notes: list[str]) -> list[Delay]:
    names = [name for name, t in bag.topics.items() if name.endswith("latency") and t.is_readable]
    names.sort(key=lambda name: ("pipeline" not in name, "cones" not in name, name))
    if names:
        messages = bag.messages([names[0]])
        return [Delay(receive_ns, float(msg.data)) for _, receive_ns, msg in messages]
    delays = [Delay(f.stamp_ns, f.delay) for f in frames if 0 < f.delay < SLOWEST]
    if 2 * len(delays) < len(frames):
        notes.append("no latency: the bag has no latency topic and its clock is not that of stamps")
        return []
    return delays


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)
