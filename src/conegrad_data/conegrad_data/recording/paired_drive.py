"""A drive as training reads it: which image belongs to which scan, and where both lie."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from conegrad_core.geometry.calibration import Calibration
from conegrad_core.geometry.odometry import OdometryBuffer, Pose2, sensor_motion
from conegrad_core.timing.pairing import SECOND, Pair, Pairing, PairingConfig
from conegrad_core.vehicle import Vehicle
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.calibration.calibration_source import CalibrationError
from conegrad_data.calibration.static_frames import FrameError, StaticFrames
from conegrad_data.errors import ReplayError
from conegrad_data.recording.bag_index import Handler, MessageReference, index_bag
from conegrad_data.recording.bag_readiness import Candidate
from conegrad_data.recording.base_odometry import BASE_FRAME
from conegrad_data.recording.decode_check import check_decoding
from conegrad_data.recording.odometry_track import LidarMotion, Odometry, OdometryReader
from conegrad_data.recording.recorded_calibration import (
    lidar_on_base,
    recorded_frames,
    sensor_calibration,
)
from conegrad_data.recording.topic_probes import probe_topics
from conegrad_data.status.part_status import Level
from conegrad_data.topics.topics import choose_topics, one_lidar

logger = logging.getLogger(__name__)

NEEDED = ("image", "camera_info", "scan", "points", "odom", "tf_static", "truth")  # roles


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


class PairedDrive(NamedTuple):
    """What a bag offers for training; made by one pass over it.

    Attributes:
        path: of the bag.
        roles: topic of each role.
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
    roles: Mapping[str, str]
    frames: tuple[PairedFrame, ...]
    truth: Mapping[int, MessageReference]
    calibration: Calibration
    base_from_lidar: Tensor
    odometry: Odometry
    poses: OdometryBuffer
    lidar_offset_ns: int
    static: StaticFrames
    unpaired: int

    @property
    def motion(self) -> LidarMotion:
        """Where the LiDAR was."""
        return LidarMotion(self.odometry, self.base_from_lidar)


class _PairReader:
    """Pairs images and scans in the order of a bag, and notes where its truth lies."""

    def __init__(self, bag: BagReader, pairing: Pairing, odometry: OdometryReader) -> None:
        self._bag, self._pairing, self._odometry = bag, pairing, odometry
        self.pairs: list[Pair] = []
        self.truth: dict[int, MessageReference] = {}

    def handlers(self, roles: Mapping[str, str]) -> dict[str, Handler]:
        """What takes the messages of each topic."""
        takers = {
            "image": self._take_image,
            "scan": self._take_scan,
            "points": self._take_scan,
            "odom": self._take_odometry,
            "truth": self._take_truth,
        }
        return {roles[role]: take for role, take in takers.items() if role in roles}

    def all_pairs(self) -> list[Pair]:
        """The pairs of the whole bag, once its last message was taken."""
        return [*self.pairs, *self._pairing.flush()]

    def _take_image(self, raw: RawMessage, reference: MessageReference | None) -> None:
        reference = _known(raw, reference)
        self._pairing.add_detections(reference.stamp_ns, reference)
        self.pairs.extend(self._pairing.take())

    def _take_scan(self, raw: RawMessage, reference: MessageReference | None) -> None:
        reference = _known(raw, reference)
        self._pairing.add_segmentation(reference.stamp_ns, reference)
        self.pairs.extend(self._pairing.take())

    def _take_odometry(self, raw: RawMessage, _: MessageReference | None) -> None:
        self._odometry.add(self._bag.decode(raw))
        self.pairs.extend(self._pairing.take())

    def _take_truth(self, raw: RawMessage, reference: MessageReference | None) -> None:
        reference = _known(raw, reference)
        self.truth[reference.stamp_ns] = reference


def read_paired_drive(
    path: Path,
    *,
    pairing: PairingConfig | None = None,
    vehicle: Vehicle | None = None,
    topics: Mapping[str, str] | None = None,
) -> PairedDrive:
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
    config = pairing or PairingConfig()
    with BagReader(path) as bag:
        roles = _roles(bag, topics)
        _check_sensors(bag, roles)
        static = recorded_frames(bag, roles.get("tf_static"))
        bodies = static if vehicle is None else StaticFrames.of_vehicle(vehicle)
        fusion = Pairing(config)
        odometry = OdometryReader(bodies, roles.get("odom", ""), fusion)
        reader = _PairReader(bag, fusion, odometry)
        handlers = reader.handlers(roles)
        index_bag(bag, handlers, topics=list(handlers))
        for fault in odometry.faults:
            logger.warning("%s: %s", bag.path, fault)
        pairs = reader.all_pairs()
        both = [pair for pair in pairs if pair.detections and pair.segmentation]
        if not both:
            reason = pairs[-1].reason if pairs else "no messages"
            raise ReplayError(f"{path}: no image could be paired with a scan ({reason})")
        frames = both[0].detections.frame, both[0].segmentation.frame
        try:
            base_from_lidar = lidar_on_base(bodies, BASE_FRAME, frames[1], vehicle)
            calibration = sensor_calibration(bag, roles, static, frames, base_from_lidar, vehicle)
        except (BagError, FrameError, CalibrationError) as error:
            raise ReplayError(f"{path}: {error}, or give a vehicle") from error
    base_from_lidar = base_from_lidar.float()
    poses = odometry.result()
    return PairedDrive(
        path=Path(path),
        roles=roles,
        frames=tuple(_paired_frame(pair, base_from_lidar) for pair in both),
        truth=reader.truth,
        calibration=calibration,
        base_from_lidar=base_from_lidar,
        odometry=poses,
        poses=_buffer(poses),
        lidar_offset_ns=round(config.lidar_offset * SECOND),
        static=static,
        unpaired=len(pairs) - len(both),
    )


def _roles(bag: BagReader, given: Mapping[str, str] | None) -> dict[str, str]:
    """The topics of a drive with images and scans.

    Raises:
        ReplayError: if one is missing, or several could be one.
    """
    choice = one_lidar(choose_topics(bag, given), given)
    if ambiguities := [choice.ambiguities[role] for role in NEEDED if role in choice.ambiguities]:
        raise ReplayError("\n".join(ambiguities))
    for roles, name in ((("image",), "images"), (("scan", "points"), "scans or point clouds")):
        if not set(roles) & set(choice.roles):
            raise ReplayError(f"{bag.path} holds no {name}; it holds {', '.join(bag.topics)}")
    return choice.roles


def _check_sensors(bag: BagReader, roles: Mapping[str, str]) -> None:
    """Refuse sensors of which nothing can be decoded, in the words of ``conegrad info``."""
    for role in ("image", "scan", "points"):
        if role not in roles:
            continue
        alone = {role: roles[role]}  # one by one: training needs both
        for finding in check_decoding(Candidate(bag, alone, {}, probe_topics(bag, alone))):
            if finding.level == Level.ERROR:
                raise ReplayError(finding.text)


def _known(raw: RawMessage, reference: MessageReference | None) -> MessageReference:
    if reference is None:
        raise BagError(f"a message of {len(raw.data)} bytes on {raw.topic} has no header")
    return reference


def _buffer(poses: Odometry) -> OdometryBuffer:
    buffer = OdometryBuffer(len(poses.stamps_ns))
    for stamp_ns, pose in zip(poses.stamps_ns.tolist(), poses.poses.tolist(), strict=True):
        buffer.add(stamp_ns, Pose2(*pose))
    return buffer


def _paired_frame(pair: Pair, base_from_lidar: Tensor) -> PairedFrame:
    motion = None if pair.motion is None else sensor_motion(pair.motion, base_from_lidar)
    return PairedFrame(pair.detections, pair.segmentation, motion)
