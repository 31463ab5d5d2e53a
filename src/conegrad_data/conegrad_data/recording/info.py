"""What a bag holds, how its stamps fit together, and what perception would miss in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.decode import (
    DecodeError,
    points_from_msg,
    read_header,
    scan_doubts,
    scan_from_msg,
)
from conegrad_data.recording.headers import has_header
from conegrad_data.recording.recorded_calibration import recorded_frames
from conegrad_data.topics.topics import TopicChoice, choose_topics

NANOSECONDS = 1_000_000_000
MAX_DELAY = 1.0  # [s] between capture and recording, above which the clocks are doubted
MAX_PAIR_OFFSET = 0.06  # [s] between an image and its nearest scan, above which it is told


SENSORS = {"image", "scan", "points"}  # roles, any of which gives cones
BASE_FRAME = "base_link"  # of cones without a LiDAR, too


@dataclass
class TopicInfo:
    """One topic; times are NaN where they cannot be told.

    Attributes:
        name: of the topic.
        msgtype: of its messages.
        frames: frames in its headers.
        receive_ns: receive time of each message [ns].
        stamp_ns: stamp of capture of each message [ns]; empty without a header.
        detail: one more fact, such as the size of images.
        fault: what is wrong with its first message; empty where nothing is known to be.
    """

    name: str
    msgtype: str
    frames: set[str] = field(default_factory=set)
    receive_ns: list[int] = field(default_factory=list)
    stamp_ns: list[int] = field(default_factory=list)
    detail: str = ""
    fault: str = ""

    @property
    def count(self) -> int:
        """Messages."""
        return len(self.receive_ns)

    @property
    def rate(self) -> float:
        """Median rate [Hz], by stamps where there are any."""
        steps = np.diff(self._times)
        steps = steps[steps > 0]
        return NANOSECONDS / float(np.median(steps)) if len(steps) else float("nan")

    @property
    def longest_gap(self) -> float:
        """Longest time without a message [s]."""
        times = self._times
        return float(np.diff(times).max()) / NANOSECONDS if len(times) > 1 else float("nan")

    @property
    def _times(self) -> npt.NDArray[np.int64]:
        """Stamps that were set, else receive times, in their order [ns]."""
        stamps = [stamp for stamp in self.stamp_ns if stamp]
        return np.sort(np.array(stamps or self.receive_ns, dtype=np.int64))

    @property
    def delay(self) -> float:
        """Median time from capture to recording [s]."""
        if not self.stamp_ns:
            return float("nan")
        received = np.array(self.receive_ns, dtype=np.int64)
        return float(np.median(received - np.array(self.stamp_ns, dtype=np.int64))) / NANOSECONDS


class Advice(NamedTuple):
    """Something that limits what can be done with a bag, and what to do about it."""

    problem: str
    remedy: str


NO_SENSORS = Advice(
    "no images and no LiDAR",
    "there is nothing to perceive; record image_raw or its compressed form, and scan or points",
)


@dataclass
class BagInfo:
    """A bag at a glance.

    Attributes:
        path: of the bag.
        duration: [s].
        topics: by name.
        roles: topic of each role that was found, such as ``image`` or ``scan``.
        frames: frames of ``tf_static``.
        pair_offsets: ``(images,)`` time from each image to the nearest scan [s].
        doubts: of each role that several topics fit, what to do.
        notes: of a role, what was chosen by rule and what could not be.
        warnings: damage and unknown types.
        advice: what perception would miss.
    """

    path: str
    duration: float
    topics: dict[str, TopicInfo]
    roles: dict[str, str]
    frames: list[str]
    pair_offsets: npt.NDArray[np.float64]
    doubts: dict[str, str]
    notes: dict[str, str]
    warnings: list[str]
    advice: list[Advice]


def inspect(
    path: str, given: Mapping[str, str] | None = None, *, is_logging: bool = True
) -> BagInfo:
    """Read a bag once and describe it.

    Args:
        path: of the bag.
        given: topics that the user chose, by role.
        is_logging: log the warnings; False where the caller shows them.

    Raises:
        BagError: if it cannot be read.
        FileNotFoundError: if there is none.
    """
    with BagReader(path, is_logging=is_logging) as bag:
        topics = _read_topics(bag)
        choice = choose_topics(bag, given)
        roles = choice.roles
        frames = recorded_frames(bag, roles.get("tf_static"))
        offsets = _pair_offsets(topics, roles)
        return BagInfo(
            path=path,
            duration=bag.duration,
            topics=topics,
            roles=roles,
            frames=frames.names,
            pair_offsets=offsets,
            doubts=choice.doubts,
            notes=choice.notes,
            warnings=bag.warnings,
            advice=_advise(topics, choice, frames, offsets),
        )


def _read_topics(bag: BagReader) -> dict[str, TopicInfo]:
    topics = {name: TopicInfo(name, topic.msgtype) for name, topic in bag.topics.items()}
    stamped = {name for name, topic in bag.topics.items() if has_header(bag, topic.msgtype)}
    for raw in bag.raw_messages():
        topic = topics[raw.topic]
        topic.receive_ns.append(raw.receive_ns)
        if raw.topic in stamped:
            _add_stamp(topic, raw)
        if topic.count == 1:
            try:
                topic.detail = _detail(bag, raw)
                topic.fault = _fault(bag, raw)
            except BagError as error:
                topic.fault = str(error)
    return topics


def _add_stamp(topic: TopicInfo, raw: RawMessage) -> None:
    try:
        stamp = read_header(raw.data)
    except DecodeError as error:
        topic.fault = topic.fault or str(error)
        topic.stamp_ns.append(0)  # as one that was not set
        return
    topic.stamp_ns.append(stamp.stamp_ns)
    topic.frames.add(stamp.frame)


def _detail(bag: BagReader, raw: RawMessage) -> str:
    if raw.msgtype == "sensor_msgs/msg/Image":
        msg = bag.decode(raw)
        return f"{msg.width}x{msg.height} {msg.encoding}"
    if raw.msgtype == "sensor_msgs/msg/CompressedImage":
        return f"{bag.decode(raw).format}, {len(raw.data) // 1024} KiB"
    if raw.msgtype == "sensor_msgs/msg/CameraInfo":
        msg = bag.decode(raw)
        return f"{msg.width}x{msg.height}, {msg.distortion_model or 'no'} distortion"
    if raw.msgtype == "sensor_msgs/msg/LaserScan":
        return _scan_detail(bag.decode(raw))
    if raw.msgtype == "sensor_msgs/msg/PointCloud2":
        msg = bag.decode(raw)
        return f"{msg.width * msg.height} points: {' '.join(f.name for f in msg.fields)}"
    return ""


def _fault(bag: BagReader, raw: RawMessage) -> str:
    """What the first scan of a topic is refused for, or what is probably wrong with it."""
    try:
        if raw.msgtype == "sensor_msgs/msg/PointCloud2":
            return points_from_msg(bag.decode(raw)).doubt
        if raw.msgtype == "sensor_msgs/msg/LaserScan":
            msg = bag.decode(raw)
            scan_from_msg(msg)
            return "; ".join(scan_doubts(msg))
    except DecodeError as error:
        return f"scans are refused: {error}"
    return ""


def _scan_detail(msg: Any) -> str:
    view = np.degrees(msg.angle_increment * (len(msg.ranges) - 1))
    return f"{len(msg.ranges)} beams, {view:.0f} deg, to {msg.range_max:.0f} m"


def _pair_offsets(topics: dict[str, TopicInfo], roles: dict[str, str]) -> npt.NDArray[np.float64]:
    """Time from each image to the nearest scan, positive if the scan is later [s]."""
    lidar = roles.get("scan") or roles.get("points")
    if "image" not in roles or lidar is None:
        return np.zeros(0)
    scans = np.sort(np.array(topics[lidar].stamp_ns, dtype=np.int64))
    images = np.array(topics[roles["image"]].stamp_ns, dtype=np.int64)
    if len(scans) == 0 or len(images) == 0:
        return np.zeros(0)
    after = np.searchsorted(scans, images).clip(1, max(1, len(scans) - 1))
    before, later = scans[after - 1], scans[np.minimum(after, len(scans) - 1)]
    nearest = np.where(np.abs(before - images) <= np.abs(later - images), before, later)
    return np.asarray(nearest - images, dtype=np.float64) / NANOSECONDS


def _advise(
    topics: dict[str, TopicInfo],
    choice: TopicChoice,
    frames: StaticFrames,
    offsets: npt.NDArray[np.float64],
) -> list[Advice]:
    roles = choice.roles
    held = set(roles) | set(choice.doubts)
    return [
        *(_advise_sensors(held) if SENSORS & held else [NO_SENSORS]),
        *_advise_comparison(held),
        *_advise_faults(topics, roles),
        *_advise_calibration(topics, roles, frames),
        *_advise_stamps(topics, roles, offsets),
    ]


def _advise_sensors(roles: set[str]) -> list[Advice]:
    advice = []
    if "image" not in roles:
        advice.append(
            Advice("no images", "cones have no colour; record image_raw or its compressed form")
        )
    if "scan" not in roles and "points" not in roles:
        advice.append(Advice("no LiDAR", "cones come from the camera alone; record scan or points"))
    return advice


def _advise_comparison(roles: set[str]) -> list[Advice]:
    if not (SENSORS | {"cones"}) & roles:
        return []
    advice = []
    if "odom" not in roles:
        advice.append(
            Advice(
                "no odometry",
                "motion within a scan, and between an image and its scan, is not compensated, and "
                "a track map cannot serve as truth; record odom",
            )
        )
    if "truth" not in roles:
        advice.append(
            Advice(
                "no truth",
                "evaluate needs a map of the cones: conegrad evaluate BAG --track CONES.csv",
            )
        )
    return advice


def _advise_faults(topics: dict[str, TopicInfo], roles: dict[str, str]) -> list[Advice]:
    found = [topics[name] for name in dict.fromkeys(roles.values()) if name in topics]
    remedy = "check the driver; record again, or mend the messages"
    return [Advice(f"{topic.name}: {topic.fault}", remedy) for topic in found if topic.fault]


def _advise_calibration(
    topics: dict[str, TopicInfo], roles: dict[str, str], frames: StaticFrames
) -> list[Advice]:
    camera, lidar = roles.get("image"), roles.get("scan") or roles.get("points")
    if camera is None and lidar is None:
        return []
    advice = []
    if camera and "camera_info" not in roles:
        advice.append(
            Advice("no camera_info", "fusion stays silent; record it, or use --vehicle FILE")
        )
    targets = [*(topics[camera].frames if camera else ()), BASE_FRAME]
    for lidar_frame in topics[lidar].frames if lidar else {BASE_FRAME}:
        try:
            for target in targets:
                frames.lookup(target, lidar_frame)
        except FrameError as error:
            advice.append(Advice(str(error), "or use --vehicle FILE"))
    return advice


def _advise_stamps(
    topics: dict[str, TopicInfo], roles: dict[str, str], offsets: npt.NDArray[np.float64]
) -> list[Advice]:
    advice = []
    for role in ("image", "scan", "points", "odom"):
        topic = topics.get(roles.get(role, ""))
        if topic is None or not topic.stamp_ns:
            continue
        if not any(topic.stamp_ns):
            advice.append(Advice(f"{topic.name} has no stamps", "set the stamp in its driver"))
        elif abs(topic.delay) > MAX_DELAY:
            advice.append(
                Advice(
                    f"{topic.name} was recorded {topic.delay:.1f} s after its stamps",
                    "synchronise the clocks of the sensors and of the recorder",
                )
            )
    if len(offsets) and np.abs(offsets).max() > MAX_PAIR_OFFSET:
        share = float((np.abs(offsets) > MAX_PAIR_OFFSET).mean())
        advice.append(
            Advice(
                f"{share:.0%} of the images have no scan within {1000 * MAX_PAIR_OFFSET:.0f} ms",
                "they are used alone; a constant offset is set by the fusion node's parameters",
            )
        )
    return advice
