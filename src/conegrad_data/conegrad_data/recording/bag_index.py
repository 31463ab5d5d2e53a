"""Index of a bag: which image belongs to which scan, and where both lie in the file."""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.odometry import OdometryBuffer, Pose2, sensor_motion
from conegrad_core.timing.pairing import SECOND, Pair, Pairing, PairingConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationError, usable_calibration
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.decode import DecodeError, read_header
from conegrad_data.errors import ReplayError
from conegrad_data.recording.bag_readiness import Candidate
from conegrad_data.recording.base_odometry import BASE_FRAME, BaseOdometry, add_odometry
from conegrad_data.recording.decode_check import check_decoding
from conegrad_data.recording.odometry_track import Odometry, OdometryReader
from conegrad_data.recording.recorded_calibration import (
    check_recorded_size,
    recorded_camera,
    recorded_frames,
)
from conegrad_data.recording.topic_probes import probe_topics
from conegrad_data.status.part_status import Level
from conegrad_data.topics.topics import choose_topics, one_lidar

logger = logging.getLogger(__name__)
NEEDED = ("image", "camera_info", "scan", "points", "odom", "tf_static", "truth")  # roles


class MessageReference(NamedTuple):
    """Where a message lies in a bag.

    Attributes:
        topic: its topic.
        receive_ns: its receive time, by which the bag finds it [ns].
        stamp_ns: stamp of capture in its header [ns].
        frame: frame in its header.
    """

    topic: str
    receive_ns: int
    stamp_ns: int
    frame: str


class PairedFrame(NamedTuple):
    """An image and the scan it is fused with.

    Attributes:
        image: of the camera.
        scan: planar scan or point cloud.
        motion: ``(4, 4)`` ``lidar_at_scan_from_lidar_at_image``, None without odometry.
    """

    image: MessageReference
    scan: MessageReference
    motion: Tensor | None


class BagIndex(NamedTuple):
    """What a bag offers for training; made by one pass over it.

    Attributes:
        path: of the bag.
        topics: topic of each role.
        frames: pairs of image and scan, as the fusion node pairs them.
        truth: recorded truth by stamp.
        calibration: of the vehicle.
        base_from_lidar: ``(4, 4)`` mounting of the LiDAR.
        odometry: poses of the car.
        poses: the same, as the pairing has them.
        lidar_offset_ns: added to the stamps of scans [ns].
        static: fixed frames of the bag.
        unpaired: images and scans that the pairing left alone.
    """

    path: Path
    topics: Mapping[str, str]
    frames: tuple[PairedFrame, ...]
    truth: Mapping[int, MessageReference]
    calibration: Calibration
    base_from_lidar: Tensor
    odometry: Odometry
    poses: OdometryBuffer
    lidar_offset_ns: int
    static: StaticFrames
    unpaired: int


class _Contents(NamedTuple):
    pairs: list[Pair]
    truth: dict[int, MessageReference]
    odometry: Odometry


def index_bag(
    path: Path,
    *,
    pairing: PairingConfig | None = None,
    vehicle: Vehicle | None = None,
    topics: Mapping[str, str] | None = None,
) -> BagIndex:
    """Pair the images and scans of a bag by the code of the fusion node.

    Args:
        path: the bag.
        pairing: settings of the pairing.
        vehicle: preset that replaces the calibration of the bag.
        topics: topics that the user chose, by role.

    Raises:
        ReplayError: if the bag lacks images, scans, pairs of both, or the calibration.
        BagError: if the bag cannot be read.
        FileNotFoundError: if there is no bag.
    """
    with BagReader(path) as bag:
        found = _topics(bag, topics)
        scans = found.get("scan") or found.get("points")
        if "image" not in found or scans is None:
            missing = "images" if "image" not in found else "scans or point clouds"
            raise ReplayError(f"{path} holds no {missing}; it holds {', '.join(bag.topics)}")
        _check_samples(bag, found, scans)
        static = recorded_frames(bag, found.get("tf_static"))
        bodies = StaticFrames.of_vehicle(vehicle) if vehicle is not None else static
        contents = _read(bag, found, scans, Pairing(pairing), bodies)
        both = [pair for pair in contents.pairs if pair.detections and pair.segmentation]
        if not both:
            reason = contents.pairs[-1].reason if contents.pairs else "no messages"
            raise ReplayError(f"{path}: no image could be paired with a scan ({reason})")
        try:
            calibration, base_from_lidar = _calibration(bag, found, both[0], static, vehicle)
        except (BagError, FrameError, CalibrationError) as error:
            raise ReplayError(f"{path}: {error}, or give a vehicle") from error
    frames = tuple(_paired_frame(pair, base_from_lidar) for pair in both)
    return BagIndex(
        Path(path),
        found,
        frames,
        contents.truth,
        calibration,
        base_from_lidar,
        contents.odometry,
        _buffer(contents.odometry),
        round((pairing or PairingConfig()).lidar_offset * SECOND),
        static,
        len(contents.pairs) - len(both),
    )


def _topics(bag: BagReader, given: Mapping[str, str] | None) -> dict[str, str]:
    choice = one_lidar(choose_topics(bag, given), given)
    doubts = [choice.doubts[role] for role in NEEDED if role in choice.doubts]
    if doubts:
        raise ReplayError("\n".join(doubts))
    return choice.roles


def _check_samples(bag: BagReader, found: Mapping[str, str], scans: str) -> None:
    """Refuse sensors of which nothing can be decoded, in the words of ``conegrad info``."""
    sensors = {"image": found["image"], "scan" if "scan" in found else "points": scans}
    for role, topic in sensors.items():  # one by one: training needs both
        alone = {role: topic}
        for finding in check_decoding(Candidate(bag, alone, {}, probe_topics(bag, alone))):
            if finding.level == Level.ERROR:
                raise ReplayError(finding.text)


def _read(
    bag: BagReader,
    found: Mapping[str, str],
    scans: str,
    pairing: Pairing,
    bodies: StaticFrames,
) -> _Contents:
    pairs: list[Pair] = []
    truth: dict[int, MessageReference] = {}
    poses = OdometryReader(BaseOdometry.of_frames(bodies), found.get("odom", ""))
    for_pairs = BaseOdometry.of_frames(bodies)
    wanted = [found[role] for role in ("image", "odom", "truth") if role in found] + [scans]
    for raw in bag.raw_messages(wanted):
        if raw.topic == found.get("odom"):
            msg = bag.decode(raw)
            poses.add(msg)
            with contextlib.suppress(DecodeError):  # the reader notes it
                add_odometry(pairing, for_pairs, msg)
        else:
            reference = MessageReference(raw.topic, raw.receive_ns, *read_header(raw.data))
            if raw.topic == found["image"]:
                pairing.add_detections(reference.stamp_ns, reference)
            elif raw.topic == scans:
                pairing.add_segmentation(reference.stamp_ns, reference)
            else:
                truth[reference.stamp_ns] = reference
        pairs.extend(pairing.take())
    pairs.extend(pairing.flush())
    for note in poses.notes:
        logger.warning("%s: %s", bag.path, note)
    return _Contents(pairs, truth, poses.result())


def _buffer(poses: Odometry) -> OdometryBuffer:
    buffer = OdometryBuffer(len(poses.stamps_ns))
    for stamp_ns, pose in zip(poses.stamps_ns.tolist(), poses.poses.tolist(), strict=True):
        buffer.add(stamp_ns, Pose2(*pose))
    return buffer


def _paired_frame(pair: Pair, base_from_lidar: Tensor) -> PairedFrame:
    motion = None if pair.motion is None else sensor_motion(pair.motion, base_from_lidar)
    return PairedFrame(pair.detections, pair.segmentation, motion)


def _calibration(
    bag: BagReader,
    found: Mapping[str, str],
    pair: Pair,
    static: StaticFrames,
    vehicle: Vehicle | None,
) -> tuple[Calibration, Tensor]:
    if vehicle is not None:
        camera_from_lidar = vehicle.camera_from_lidar()
        base_from_lidar = vehicle.lidar.mounting.base_from_sensor().float()
        camera = vehicle.camera.model()
    else:
        camera = recorded_camera(bag, found)
        camera_from_lidar = _lookup(static, pair.detections.frame, pair.segmentation.frame)
        base_from_lidar = _lookup(static, BASE_FRAME, pair.segmentation.frame)
    check_recorded_size(bag, found, camera)
    return usable_calibration(
        camera, camera_from_lidar, base_from_lidar, pair.detections.frame, static
    ), base_from_lidar


def _lookup(static: StaticFrames, target: str, source: str) -> Tensor:
    return torch.from_numpy(static.lookup(target, source)).float()
