"""What a bag holds, how its stamps fit together, and what perception would miss in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from conegrad_data.bags.made_by import from_notes
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import DecodeError, points_from_msg, scan_from_msg, scan_warnings
from conegrad_data.recording.advice import Advice, advise
from conegrad_data.recording.bag_index import NANOSECONDS, Handler, TopicIndex, index_bag
from conegrad_data.recording.recorded_calibration import recorded_frames
from conegrad_data.topics.topics import TopicChoice, choose_topics


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
        ambiguities: of each role that several topics fit, what to do.
        notes: of a role, what was chosen by rule and what could not be.
        warnings: damage and unknown types.
        advice: what perception would miss.
        made_by: what made the cones: pipeline, system and weights, where the bag says so.
    """

    path: str
    duration: float
    topics: dict[str, TopicIndex]
    roles: dict[str, str]
    frames: list[str]
    pair_offsets: npt.NDArray[np.float64]
    ambiguities: dict[str, str]
    notes: dict[str, str]
    warnings: list[str]
    advice: list[Advice]
    made_by: Mapping[str, str] = field(default_factory=dict)


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
        choice = choose_topics(bag, given)
        return describe(bag, choice, recorded_frames(bag, choice.roles.get("tf_static")))


def describe(
    bag: BagReader,
    choice: TopicChoice,
    frames: StaticFrames,
    handlers: Mapping[str, Handler] | None = None,
) -> BagInfo:
    """Read a bag once and describe it.

    Args:
        bag: open for reading.
        choice: what its topics are for.
        frames: its fixed frames.
        handlers: of messages, by topic, which need the same pass.

    Raises:
        BagError: if it cannot be read.
    """
    details: dict[str, tuple[str, str]] = {}
    topics = index_bag(
        bag,
        handlers or {},
        first=lambda raw, _: details.update({raw.topic: _first_message(bag, raw)}),
    )
    for name, (detail, fault) in details.items():
        topics[name].detail, topics[name].fault = detail, fault or topics[name].fault
    offsets = _pair_offsets(topics, choice.roles)
    return BagInfo(
        path=str(bag.path),
        duration=bag.duration,
        topics=topics,
        roles=choice.roles,
        frames=frames.names,
        pair_offsets=offsets,
        ambiguities=choice.ambiguities,
        notes=choice.notes,
        warnings=bag.warnings,
        advice=advise(topics, choice, frames, offsets),
        made_by=from_notes(bag.notes),
    )


def _first_message(bag: BagReader, raw: RawMessage) -> tuple[str, str]:
    """One more fact about a topic, and what is wrong with its first message."""
    try:
        return _detail(bag, raw), _fault(bag, raw)
    except BagError as error:
        return "", str(error)


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
            return points_from_msg(bag.decode(raw)).warning
        if raw.msgtype == "sensor_msgs/msg/LaserScan":
            msg = bag.decode(raw)
            scan_from_msg(msg)
            return "; ".join(scan_warnings(msg))
    except DecodeError as error:
        return f"scans are refused: {error}"
    return ""


def _scan_detail(msg: Any) -> str:
    view = np.degrees(msg.angle_increment * (len(msg.ranges) - 1))
    return f"{len(msg.ranges)} beams, {view:.0f} deg, to {msg.range_max:.0f} m"


def _pair_offsets(topics: dict[str, TopicIndex], roles: dict[str, str]) -> npt.NDArray[np.float64]:
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
