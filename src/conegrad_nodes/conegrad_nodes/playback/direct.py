"""A bag through the same modules as the live graph, without ROS: one process, no topics."""

import contextlib
import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from conegrad_core.camera.stage import DetectorStage
from conegrad_core.cone_tracks import TrackConfig
from conegrad_core.cones import Cones, UnusableConesError
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.geometry.mounting import Ground
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.timing.pairing import CAMERA, LIDAR, ODOMETRY, Pair, Pairing, PairingConfig
from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.decode import (
    DecodeError,
    stamp_ns_from_msg,
    usable_image,
)
from conegrad_data.recording.bag_clock import BagClock
from conegrad_data.recording.base_odometry import BaseOdometry, add_odometry
from conegrad_data.recording.lenient_decoder import LenientDecoder
from conegrad_data.recording.scan_reading import ScanReader
from conegrad_nodes.node_base.domain_watch import DomainWatch
from conegrad_nodes.pair_fusion import PairFusion, SensorResult
from conegrad_nodes.parameters.chosen_parameters import settings, stage_settings
from conegrad_nodes.parameters.node_settings import ConeOutputConfig
from conegrad_nodes.pipeline_hosts import PipelineHosts
from conegrad_nodes.playback.first_calibration import first_camera_info
from conegrad_nodes.playback.perceive import PerceiveOptions, Progress, check_bag

logger = logging.getLogger(__name__)

SENSORS = {"image": CAMERA, "scan": LIDAR, "points": LIDAR, "odom": ODOMETRY}  # by role
LOGGED = 3  # skipped messages of a role that are logged one by one


class DirectFrame(NamedTuple):
    """Cones of one pair.

    Attributes:
        pair: results of image and scan as SensorResult, and the motion between them.
        cones: above the lowest existence, each once.
        frame: in which the cones are, as FusedPair says.
        ground: in that frame.
        reasons: why the cones are degraded; empty if they are not.
        receive_ns: time in the bag when the pair was decided [ns].
    """

    pair: Pair
    cones: Cones
    frame: str
    ground: Ground
    reasons: tuple[Reason, ...]
    receive_ns: int


class DirectPerception:
    """A pipeline and its pairing, fed with the messages of a bag in their order.

    It decodes and pairs as the nodes do, with their parameters, and runs the same stages.

    Args:
        parameters: of the nodes, by full name.
        hosts: of the pipeline.

    Raises:
        ValueError: if a parameter is out of bounds or weights cannot be loaded.
    """

    def __init__(self, parameters: Mapping[str, Any], hosts: PipelineHosts) -> None:
        self._reader = ScanReader(
            settings(ReductionConfig, parameters, "reduction"),
            settings(SweepConfig, parameters, "sweep"),
        )
        configs = {name: stage_settings(hosts, name, parameters) for name in hosts.classes}
        self._graph = build_pipeline(hosts.specification, configs)
        self._graph.accelerate()
        stages = map(self._graph.stage, hosts.camera)
        self._detectors = [stage.module for stage in stages if isinstance(stage, DetectorStage)]
        self._camera_ports, self._lidar_ports = hosts.camera_ports, hosts.lidar_ports
        pairing = settings(PairingConfig, parameters, "pairing")
        self._pairing, self._gate = Pairing(pairing, hosts.sensors), pairing.gate()
        config = settings(CalibrationConfig, parameters, "calibration")
        self._calibration = CalibrationSource(config)
        base_frame, tell = config.base_frame, logger.info
        self._odometry = BaseOdometry(self._calibration.base_from, base_frame, tell)
        self._fusion = PairFusion(
            self._graph,
            hosts,
            self._calibration,
            settings(ConeOutputConfig, parameters),
            settings(TrackConfig, parameters, "tracks"),
            settings(ConsistencyConfig, parameters, "consistency"),
        )
        self._clock = BagClock()  # as the player has it
        monitor = str(parameters.get("monitor", ""))
        self._domains = {kind: DomainWatch(monitor, kind) for kind in ("Image", "Scan")}
        self._warned: set[str] = set()
        self._skipped: Counter[str] = Counter()
        self._count = self._uncalibrated = 0  # of pairs with cones, and of those without
        self._fault: CalibrationError | None = None

    @torch.inference_mode()
    def take(self, role: str, msg: Any, receive_ns: int) -> list[DirectFrame]:
        """Feed one message; returns the frames that are decided by it.

        Args:
            role: what the message is: ``image``, ``scan``, ``points``, ``odom``, ``camera_info``.
            msg: the message.
            receive_ns: time in the bag [ns].
        """
        try:
            self._feed(role, msg, receive_ns)
        except DecodeError as error:
            self._skip(role, error)
        return self._fused(self._pairing.take(self._gate.now_ns(self._clock.now_ns)), receive_ns)

    @torch.inference_mode()
    def flush(self, receive_ns: int) -> list[DirectFrame]:
        """Frames of what still waits at the end."""
        for role, count in self._skipped.items():
            if count > LOGGED:
                logger.warning("skipped %d messages (%s) in all", count, role)
        frames = self._fused(self._pairing.flush(), receive_ns)
        self._warn_uncalibrated()
        return frames

    def _skip(self, role: str, error: DecodeError) -> None:
        self._skipped[role] += 1
        if self._skipped[role] <= LOGGED:
            logger.warning("skipped a message (%s): %s", role, error)

    def _feed(self, role: str, msg: Any, receive_ns: int) -> None:
        if role == "camera_info":
            self._calibration.take_camera_info(msg)
            return
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        clock_ns = self._clock.note(stamp_ns, receive_ns)
        reason = self._gate.refusal(SENSORS[role], stamp_ns, clock_ns)
        if reason:
            raise DecodeError(reason)
        if role == "odom":
            add_odometry(self._pairing, self._odometry, msg)
        elif role == "image":
            image = usable_image(msg, self._detectors)
            height, width = image.shape[:2]
            found = self._run("image", image, self._camera_ports)
            alarms = self._watched("Image", image, stamp_ns)
            seen = SensorResult(
                stamp_ns, msg.header.frame_id, found, (width, height), alarms=alarms
            )
            self._fusion.camera_frame = seen.frame
            self._pairing.add_detections(stamp_ns, seen)
        else:
            read = self._reader.read(msg)
            self._warn_once(read.warnings)
            found = self._run("scan", read.scan, self._lidar_ports)
            alarms = self._watched("Scan", read.scan, stamp_ns)
            seen = SensorResult(stamp_ns, msg.header.frame_id, found, alarms=alarms)
            self._fusion.lidar_frame = seen.frame
            self._pairing.add_segmentation(stamp_ns, seen, seen.span)

    def _run(self, given: str, value: Any, ports: Sequence[str]) -> dict[str, Any]:
        """Values of ports that are made of one other."""
        made = self._graph({given: [value]}, ports=ports)
        return {port: made[port][0] for port in ports}

    def _watched(self, kind: str, value: Any, stamp_ns: int) -> tuple[Reason, ...]:
        """What the domain monitor doubted before it looks at a frame, as in the nodes."""
        alarms = self._domains[kind].alarms()
        self._domains[kind].observe(value, stamp_ns)
        return alarms

    def _warn_once(self, warnings: list[str]) -> None:
        """Log each warning once."""
        for warning in warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                logger.warning("%s", warning)

    def _fused(self, pairs: Iterable[Pair], receive_ns: int) -> list[DirectFrame]:
        frames: list[DirectFrame] = []
        for pair in pairs:
            try:
                frames.append(DirectFrame(pair, *self._fusion.fuse(pair), receive_ns))
            except CalibrationError as error:
                self._uncalibrated += 1
                self._fault = error
                continue
            except UnusableConesError as error:
                logger.warning("withheld the cones of stamp %d ns: %s", pair.stamp_ns, error)
            warnings = (self._fusion.motion_warning(), self._fusion.identity_warning())
            self._warn_once([warning for warning in warnings if warning])
        self._count += len(frames)
        return frames

    def _warn_uncalibrated(self) -> None:
        """Warn of pairs that the calibration did not fit, and refuse a run of nothing else."""
        if self._fault is None:
            return
        if not self._count:
            raise self._fault
        logger.warning("%d pairs without cones: %s", self._uncalibrated, self._fault)


def direct_frames(
    bag: BagReader,
    options: PerceiveOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Iterator[DirectFrame]:
    """Cones of every pair of a bag.

    Args:
        bag: the recorded drive.
        options: parameters, topics and vehicle as for the live graph; how to play is not used.
        progress: wraps the messages to show progress; given them and their number.

    Raises:
        BagError: if the bag cannot be read, or lacks a part of the calibration.
        CalibrationError: if the calibration fits no pair.
    """
    options = options or PerceiveOptions()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conegrad-")))
        found = check_bag(bag, options, folder)
        found.enforce()
        parameters = options.of_files | dict(found.parameters)
        perception = DirectPerception(parameters, options.hosts)
        info = first_camera_info(bag, found.roles, parameters)
        if info is not None:
            perception.take("camera_info", bag.decode(info), info.receive_ns)
    role_of = {topic: role for role, topic in found.roles.items()}
    return _frames(bag, role_of, perception, progress)


def _frames(
    bag: BagReader,
    role_of: Mapping[str, str],
    perception: DirectPerception,
    progress: Progress | None,
) -> Iterator[DirectFrame]:
    count = sum(bag.topics[topic].count for topic in role_of)
    stream: Iterable[RawMessage] = bag.raw_messages(list(role_of))
    receive_ns, readable = bag.start_ns, LenientDecoder(bag)
    for raw in progress(stream, count) if progress else stream:
        receive_ns = raw.receive_ns
        msg = readable.decode(raw)
        if msg is not None:
            yield from perception.take(role_of[raw.topic], msg, receive_ns)
    readable.tell()
    yield from perception.flush(receive_ns)
