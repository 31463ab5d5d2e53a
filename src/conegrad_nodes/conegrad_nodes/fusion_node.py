"""Fusion node: results of camera and LiDAR in, cones on the ground out."""

import functools
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from conegrad_core.cone_tracks import TrackConfig
from conegrad_core.cones import UnusableConesError
from conegrad_core.consistency.reason import Reason
from conegrad_core.consistency.settings import ConsistencyConfig
from conegrad_core.fusion.stage import FusionStage
from conegrad_core.geometry.camera import CameraModel
from conegrad_core.timing.pairing import CAMERA, LIDAR, ODOMETRY, Pair, Pairing, PairingConfig
from conegrad_data.calibration.calibration_source import (
    CalibrationConfig,
    CalibrationError,
    CalibrationSource,
)
from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.recording.base_odometry import BaseOdometry, add_odometry
from conegrad_data.status.input_status import RECENT
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.encode import cone_points_to_msg, markers_to_msg, stamp_to_msg
from conegrad_nodes.monitoring.publisher_names import OwnTopic
from conegrad_nodes.node_base.hosted_part import HostedPart
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.perception_node import PerceptionNode
from conegrad_nodes.node_base.qos import LATCHED, RESULTS, input_qos
from conegrad_nodes.node_base.running import run
from conegrad_nodes.node_base.stamp_join import StampJoin
from conegrad_nodes.node_base.static_transforms import TF_STATIC
from conegrad_nodes.pair_fusion import FusedPair, PairFusion, SensorResult
from conegrad_nodes.parameters.declared_parameters import declare_config, read_config
from conegrad_nodes.parameters.node_settings import FusionNodeConfig
from conegrad_nodes.parameters.pipeline_settings import known_to_nodes
from conegrad_nodes.pipeline_hosts import FUSION_NODE, pipeline_hosts
from conegrad_nodes.port_messages.cones import CONES
from conegrad_nodes.port_messages.port_message import PortMessage, Received
from conegrad_nodes.port_messages.registry import port_message

NAMES = {CAMERA: "camera", LIDAR: "LiDAR"}
TIMEOUT_CHECK = 0.02  # [s] between two checks whether a partner is overdue


class FusionNode(PerceptionNode):
    """Publishes the cones that camera and LiDAR see together.

    Each message of the triggering sensor (parameter ``pairing.trigger``) is fused with the
    nearest one of the other sensor; when the other one is lost, its own cones are published
    alone and marked so. What comes of one image on several topics is joined by equal stamps first.
    It runs all stages that join or need the calibration, and those that read from them; for the
    car that is the stage ``fuser``.

    Subscribes: the ports of camera and LiDAR that its stages read, such as ``detections``
    (conegrad_msgs/ConeDetectionArray), ``keypoints`` (conegrad_msgs/PortTensors) and
    ``segmentation`` (conegrad_msgs/ScanSegmentation); ``camera_info`` (sensor_msgs/CameraInfo),
    ``odom`` (nav_msgs/Odometry, optional), ``/tf_static`` (tf2_msgs/TFMessage).
    Publishes: ``cones`` (conegrad_msgs/ConeArray), in the frame of the LiDAR and at the stamp of
    the scan, without a scan at that of the image, and without any scan so far in the frame of the
    base; ``cone_markers``
    (visualization_msgs/MarkerArray) and ``cone_points`` (sensor_msgs/PointCloud2) while
    subscribed; ``~/processing_latency``, ``~/pipeline_latency`` (std_msgs/Float64, seconds);
    ``/diagnostics``.
    Parameters: the fields of :class:`FusionNodeConfig`; the name of each stage and the fields of
    its settings, such as ``fuser.`` and those of FuserConfig; ``pairing.``, ``calibration.``,
    ``tracks.`` and ``consistency.`` with the fields of PairingConfig, CalibrationConfig,
    TrackConfig and ConsistencyConfig.

    Raises:
        PipelineError: if the pipeline cannot be used.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__(FUSION_NODE, **node_options)
        self._config = declare_config(self, FusionNodeConfig)
        self._hosts = pipeline_hosts(self._config.pipeline)
        self._hosted = HostedPart(self._config.pipeline, self._hosts.fusion, FUSION_NODE)
        for name, defaults in self._hosted.default_configs().items():
            self.declare_loaded(type(defaults), name, defaults)
        self._pairing_config = self.declare_loaded(PairingConfig, "pairing")
        self._calibration_config = self.declare_loaded(CalibrationConfig, "calibration")
        self.declare_loaded(TrackConfig, "tracks")
        self.declare_loaded(ConsistencyConfig, "consistency")
        self._fusion: PairFusion | None = None
        self._reasons: tuple[Reason, ...] = ()  # of the newest cones
        self._lock = threading.RLock()  # intra-process results come in threads of other nodes
        self._trouble: PartStatus | None = None
        self._skipped = 0  # pairs without cones, for want of a calibration
        self._prepared: CameraModel | None = None  # the stages are ready for it
        self._last_arrival = 0.0
        self._withheld: deque[tuple[float, str]] = deque(maxlen=1000)  # steady time [s], reason
        self._open_inputs()
        self._timeouts = self.create_timer(
            TIMEOUT_CHECK, self._fuse_pairs, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def _open_inputs(self) -> None:
        config = self._config
        results = input_qos(config.reliability, config.depth)
        sensors = input_qos(config.sensor_reliability, 1)
        odometry = input_qos(config.sensor_reliability, config.odom_depth)
        limits: dict[str, Any] = {
            "timeout": config.input_timeout,
            "stamp_tolerance": config.stamp_tolerance,
        }
        latched = {**limits, "is_latched": True}
        self.inputs = []
        self._joins = {
            CAMERA: self._result_inputs(CAMERA, self._hosts.camera_ports, results, limits),
            LIDAR: self._result_inputs(LIDAR, self._hosts.lidar_ports, results, limits),
        }
        self.inputs.append(
            Input(self, Odometry, "odom", self._on_odom, odometry, **limits, is_optional=True)
        )
        if self._calibration_config.intrinsics == "camera_info" and self._hosts.camera_ports:
            self.inputs.append(
                Input(self, CameraInfo, "camera_info", self._on_camera_info, sensors, **latched)
            )
        if self._calibration_config.extrinsics == "tf" and TF_STATIC is not None:
            # The absolute name is the convention of tf2.
            self.inputs.append(
                Input(self, TF_STATIC, "/tf_static", self._on_tf_static, LATCHED, **latched)
            )

    def _result_inputs(
        self, sensor: str, ports: Sequence[str], qos: QoSProfile, limits: Mapping[str, Any]
    ) -> StampJoin:
        """Declare an input for each port of a sensor; what joins them by stamp."""
        topics = {}
        for port in ports:
            message = port_message(self._hosts.kinds[port])
            source = Input(
                self,
                message.msgtype,
                message.topic(port),
                functools.partial(self._on_message, sensor, port, message),
                qos,
                result_handler=functools.partial(self._on_result, sensor, port, message),
                **limits,
            )
            self.inputs.append(source)
            topics[port] = source.record.topic
        return StampJoin(topics)

    def known_parameters(self) -> list[str] | None:
        """Those of all nodes of the pipeline."""
        return known_to_nodes(self._config.pipeline)

    @property
    def wants_start(self) -> bool:
        """Parameter ``autostart``."""
        return self._config.autostart

    def load(self) -> None:
        """Load the stages and what the calibration reads from files."""
        self._pairing_config = read_config(self, PairingConfig, "pairing")
        self._calibration_config = read_config(self, CalibrationConfig, "calibration")
        self._open_inputs()
        self._calibration = CalibrationSource(self._calibration_config)
        self._pairing, self._gate = self._new_pairing(), self._pairing_config.gate()
        self._odometry = self._new_odometry()
        configs = {
            name: read_config(self, of_stage.config_class, name)
            for name, of_stage in self._hosted.classes.items()
        }
        self._hosted.load(configs)
        for stage in self._hosted.stages():
            if isinstance(stage, FusionStage) and any(stage.module.mounting.values().values()):
                corrections = stage.module.mounting.describe()
                self.get_logger().info(f"corrects the calibration as learned: {corrections}")
        graph = self._hosted.graph
        self._fusion = PairFusion(
            graph,
            self._hosts,
            self._calibration,
            self._config,
            read_config(self, TrackConfig, "tracks"),
            read_config(self, ConsistencyConfig, "consistency"),
        )
        self._output = self.create_lifecycle_publisher(CONES.msgtype, "cones", RESULTS)
        self.own_topics = [OwnTopic(self, self._output.topic_name)]
        self._markers = self.create_lifecycle_publisher(MarkerArray, "cone_markers", RESULTS)
        self._points = self.create_lifecycle_publisher(PointCloud2, "cone_points", RESULTS)

    def warm_up(self) -> None:
        """Begin with empty buffers."""
        self._pairing, self._gate = self._new_pairing(), self._pairing_config.gate()
        self._odometry = self._new_odometry()
        for join in self._joins.values():
            join.clear()
        self._trouble, self._reasons = None, ()
        if self._fusion is not None:
            self._fusion.forget()
        self._prepare()

    def _prepare(self) -> None:
        """Let the stages get ready for a camera that they do not know, ahead of its first pair."""
        camera = self._calibration.camera
        if camera is not None and camera is not self._prepared and self._fusion is not None:
            self._prepared = camera
            for stage in self._hosted.stages():
                stage.prepare(camera)

    def _new_pairing(self) -> Pairing:
        return Pairing(self._pairing_config, self._hosts.sensors)

    def _new_odometry(self) -> BaseOdometry:
        base_frame, tell = self._calibration_config.base_frame, self.get_logger().info
        return BaseOdometry(self._calibration.base_from, base_frame, tell)

    def release(self) -> None:
        """Drop the fusion and the outputs."""
        with self._lock:
            if self._fusion is not None:
                self._fusion = self._prepared = None
                self._hosted.release()
                for publisher in (self._output, self._markers, self._points):
                    self.destroy_lifecycle_publisher(publisher)

    @property
    def provenance(self) -> Mapping[str, str]:
        """Pipeline, recorded system and weights."""
        return self._hosted.provenance

    def check(self) -> list[PartStatus]:
        """State of the calibration and of the pairing."""
        with self._lock:
            status = self._pairing.status(self._gate.now_ns(self._clock_ns()))
        values = {
            name: str(getattr(status, name))
            for name in ("paired", "camera_alone", "lidar_alone", "dropped", "resets")
        }
        values["odometry_jumps"] = str(self._pairing.odometry_jumps)
        level = Level.WARN if status.reason else Level.OK
        cause = "starved" if status.reason else "pairing"
        paired = "camera and LiDAR are paired"
        if len(self._hosts.sensors) == 1:
            paired = f"the {NAMES[self._hosts.sensors[0]]} is fused alone, as the pipeline says"
        text = status.reason or paired
        pairing = PartStatus("pairing", level, cause, text, values)
        return [
            self._calibration_status(),
            pairing,
            *self._join_statuses(),
            *self._motion_statuses(),
            *self._clock_statuses(),
            *self._withheld_statuses(),
            self._degradation_status(),
        ]

    def _degradation_status(self) -> PartStatus:
        """Why the newest cones are degraded."""
        if not self._reasons:
            return PartStatus("cones", Level.OK, "in order", "the sensors agree")
        cause = ", ".join(reason.name for reason in self._reasons)
        text = "degraded: " + "; ".join(map(str, self._reasons))
        return PartStatus("cones", Level.WARN, cause, text)

    def _join_statuses(self) -> list[PartStatus]:
        """Results of one image or scan that miss others of the same."""
        with self._lock:
            faults = {sensor: join.fault() for sensor, join in self._joins.items()}
        return [
            PartStatus(f"results of {NAMES[sensor]}", Level.WARN, "unmatched", fault)
            for sensor, fault in faults.items()
            if fault
        ]

    def _clock_statuses(self) -> list[PartStatus]:
        """Whether all stamps are of another clock than the node's."""
        offset = self._gate.offset
        if offset is None:
            return []
        side = "behind" if offset > 0 else "ahead of"
        text = (
            f"the stamps of all sensors are about {abs(offset):.1f} s {side} the node's clock and "
            "are paired by themselves: set use_sim_time where a bag is played"
        )
        return [PartStatus("clock", Level.WARN, "another clock", text)]

    def _motion_statuses(self) -> list[PartStatus]:
        if self._fusion is None:
            return []
        motion, identity = self._fusion.motion_warning(), self._fusion.identity_warning()
        statuses = []
        if motion:
            statuses.append(PartStatus("motion", Level.WARN, "not compensated", motion))
        if identity:
            statuses.append(PartStatus("identities", Level.WARN, "not tracked", identity))
        return statuses

    def _withheld_statuses(self) -> list[PartStatus]:
        """Whether results were withheld a moment ago."""
        if not self._withheld or time.monotonic() - self._withheld[-1][0] > RECENT:
            return []
        text = f"withheld {len(self._withheld)} results a moment ago: {self._withheld[-1][1]}"
        return [PartStatus("fusion", Level.ERROR, "withheld", text)]

    def _calibration_status(self) -> PartStatus:
        if self._trouble is not None:
            return self._trouble
        fusion = self._fusion
        if fusion is None:
            raise RuntimeError("the fusion is asked before it is loaded")
        is_trigger = self._pairing.trigger == CAMERA
        with_camera = is_trigger or bool(fusion.camera_frame)
        try:
            fusion.needed(with_camera=with_camera)
        except CalibrationError as error:
            return PartStatus("calibration", Level.ERROR, "missing", f"no cones: {error}")
        return PartStatus("calibration", Level.OK, "known", "calibration is known")

    def _clock_ns(self) -> int | None:
        """Present time; None while nothing came on /clock."""
        return self.get_clock().now().nanoseconds or None

    def _admit(self, sensor: str, stamp_ns: int) -> None:
        """Refuse a message whose stamp cannot be used."""
        reason = self._gate.refusal(sensor, stamp_ns, self._clock_ns())
        if reason:
            raise DecodeError(reason)

    def _on_message(
        self, sensor: str, port: str, message: PortMessage, msg: Any, arrival: float
    ) -> None:
        self._add(sensor, port, msg, message.decode(msg), arrival)

    def _on_result(
        self, sensor: str, port: str, message: PortMessage, msg: Any, value: Any, arrival: float
    ) -> None:
        message.check(value)
        self._add(sensor, port, msg, Received(value, message.details(msg)), arrival)

    def _add(self, sensor: str, port: str, msg: Any, received: Received, arrival: float) -> None:
        """Take a result; once all of its image or scan are there, they may be paired."""
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        with self._lock:
            self._admit(sensor, stamp_ns)
            found = self._joins[sensor].add(port, stamp_ns, received)
            if found is not None:
                seen = _joined(stamp_ns, msg.header.frame_id, found, arrival)
                self._add_result(sensor, seen)
                self._fuse_pairs()

    def _add_result(self, sensor: str, seen: SensorResult) -> None:
        fusion = self._fusion
        if sensor == CAMERA:
            if fusion is not None:
                fusion.camera_frame = seen.frame
            self._pairing.add_detections(seen.stamp_ns, seen)
        else:
            if fusion is not None:
                fusion.lidar_frame = seen.frame
            self._pairing.add_segmentation(seen.stamp_ns, seen, seen.span)

    def _on_odom(self, msg: Odometry, arrival: float) -> None:
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        with self._lock:
            self._admit(ODOMETRY, stamp_ns)
            add_odometry(self._pairing, self._odometry, msg)
            self._fuse_pairs()

    def _on_camera_info(self, msg: CameraInfo, arrival: float) -> None:
        with self._lock:
            self._calibration.take_camera_info(msg)
            self._prepare()

    def _on_tf_static(self, msg: Any, arrival: float) -> None:
        with self._lock:
            self._calibration.add_transforms(msg)

    def _fuse_pairs(self) -> None:
        with self._lock:
            if self._fusion is not None:
                for pair in self._pairing.take(self._gate.now_ns(self._clock_ns())):
                    self._fuse(self._fusion, pair)

    def _fuse(self, fusion: PairFusion, pair: Pair) -> None:
        try:
            fused = fusion.fuse(pair)
        except CalibrationError as error:
            self._skipped += 1
            values = {"pairs skipped": str(self._skipped)}
            text = f"no cones: {error}"
            self._trouble = PartStatus("calibration", Level.ERROR, "missing", text, values)
            return
        except UnusableConesError as error:
            self._withheld.append((time.monotonic(), str(error)))
            return
        self._trouble = None
        self._reasons = fused.reasons
        self._publish(pair, fused)

    def _publish(self, pair: Pair, fused: FusedPair) -> None:
        image: SensorResult | None = pair.detections
        scan: SensorResult | None = pair.segmentation
        cones, ground = fused.cones, fused.ground
        header = Header(stamp=stamp_to_msg(pair.stamp_ns), frame_id=fused.frame)
        details = {
            "ground": ground,
            "reasons": fused.reasons,
            "camera_stamp": stamp_to_msg(image.stamp_ns) if image else None,
            "lidar_stamp": stamp_to_msg(scan.stamp_ns) if scan else None,
        }
        self._output.publish(CONES.encode(cones, header, details))
        self.latency.publish(max(side.arrival for side in (image, scan) if side), header.stamp)
        if self._markers.get_subscription_count() > 0:
            self._markers.publish(markers_to_msg(cones, header, ground))
        if self._points.get_subscription_count() > 0:
            self._points.publish(cone_points_to_msg(cones, header, ground))


def _joined(
    stamp_ns: int, frame: str, found: Mapping[str, Received], arrival: float
) -> SensorResult:
    """All results of one image or scan; it arrived with the last one of them."""
    sizes = [one.details["image_size"] for one in found.values() if "image_size" in one.details]
    values = {port: one.value for port, one in found.items()}
    alarms = tuple({alarm.name: alarm for alarm in _alarms(found)}.values())
    return SensorResult(stamp_ns, frame, values, sizes[0] if sizes else None, arrival, alarms)


def _alarms(found: Mapping[str, Received]) -> Iterator[Reason]:
    """What is doubted about the messages."""
    for one in found.values():
        yield from one.details.get("alarms", ())


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes fusion_node``."""
    run([FusionNode])
