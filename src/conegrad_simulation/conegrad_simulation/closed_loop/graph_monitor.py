"""Monitor of the graph: results of the perception, commands and diagnostics."""

import time
from collections.abc import Callable
from typing import Any

from conegrad_msgs.msg import ConeArray
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from conegrad_core.cones import Cones
from conegrad_core.geometry.odometry import MAX_SPEED
from conegrad_data.decode import (
    DecodeError,
    check_within,
    cones_from_msg,
    read_header,
    stamp_ns_from_msg,
)
from conegrad_nodes.playback.link import message_class
from conegrad_simulation.closed_loop.bicycle import DriveCommand
from conegrad_simulation.closed_loop.car import SimulatedCar
from conegrad_simulation.closed_loop.lockstep import Lockstep
from conegrad_simulation.closed_loop.sensor_topics import MessageSink
from conegrad_simulation.closed_loop.simulator import CAMERA, LIDAR

DEPTH = 200  # messages that wait at most; they are small
DETECTIONS, SEGMENTATION, CONES = "/detections", "/segmentation", "/cones"
COMMANDS, DIAGNOSTICS = "/cmd_vel", "/diagnostics"
MAX_YAW_RATE = 100.0  # [rad/s], of a car
LOG_PERIOD = 1.0  # [s] between two log lines about skipped messages
TYPES = {
    DETECTIONS: "conegrad_msgs/msg/ConeDetectionArray",
    SEGMENTATION: "conegrad_msgs/msg/ScanSegmentation",
    CONES: "conegrad_msgs/msg/ConeArray",
    COMMANDS: "geometry_msgs/msg/Twist",
    DIAGNOSTICS: "diagnostic_msgs/msg/DiagnosticArray",
}


class GraphMonitor:
    """Receives results, commands and diagnostics of the graph, and passes commands to the car.

    A message that cannot be decoded is skipped with a throttled warning that names its topic.

    Attributes:
        sink: receives every message, if it is set.
        cones: the newest cones, in ``cones_frame`` [m]; None before the first message.
        cones_frame: frame of the newest cones: ``lidar``, or ``base_link`` before any scan.
        cones_pose: true pose of the car when the newest cones arrived.
        problems: newest text of each warning or error on ``/diagnostics``, by status name.
    """

    def __init__(self, node: Node, car: SimulatedCar, lockstep: Lockstep) -> None:
        """Subscribe to the topics of :data:`TYPES`.

        Args:
            node: owner of the subscriptions.
            car: receives the commands.
            lockstep: tracks which results are pending.
        """
        self._node, self._car, self._lockstep = node, car, lockstep
        self.sink: MessageSink | None = None
        self.cones: Cones | None = None
        self.cones_frame = ""
        self.cones_pose = car.pose
        self.problems: dict[str, str] = {}
        qos = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        for topic, msgtype in TYPES.items():
            # Diagnostics have one absolute name; all others are relative.
            name = topic if topic == DIAGNOSTICS else topic[1:]
            callback = self._callback(topic, msgtype)
            node.create_subscription(message_class(msgtype), name, callback, qos, raw=True)

    def has_source(self, topic: str) -> bool:
        """Whether a node publishes on a topic, given with its leading slash."""
        return int(self._node.count_publishers(self._node.resolve_topic_name(topic[1:]))) > 0

    def _callback(self, topic: str, msgtype: str) -> Callable[[bytes], None]:
        handle = {
            DETECTIONS: lambda data: self._lockstep.add_result(CAMERA, _stamp_ns(data)),
            SEGMENTATION: lambda data: self._lockstep.add_result(LIDAR, _stamp_ns(data)),
            CONES: self._on_cones,
            COMMANDS: self._on_command,
            DIAGNOSTICS: self._on_diagnostics,
        }[topic]

        def callback(data: bytes) -> None:
            if self.sink is not None:
                self.sink(topic, msgtype, data)
            try:
                handle(data)
            except DecodeError as error:
                text = f"skipped a message on {topic}: {error}"
                self._node.get_logger().warning(text, throttle_duration_sec=LOG_PERIOD)

        return callback

    def _on_cones(self, data: bytes) -> None:
        msg = _deserialized(data, ConeArray)
        camera_ns = stamp_ns_from_msg(msg.camera_stamp) if msg.camera_used else None
        lidar_ns = stamp_ns_from_msg(msg.lidar_stamp) if msg.lidar_used else None
        self._lockstep.add_cones(
            camera_ns, lidar_ns, is_driven=self.has_source(COMMANDS), now=time.monotonic()
        )
        self.cones, self.cones_pose = cones_from_msg(msg), self._car.pose
        self.cones_frame = msg.header.frame_id

    def _on_command(self, data: bytes) -> None:
        msg = _deserialized(data, Twist)
        check_within("linear.x", msg.linear.x, MAX_SPEED, " m/s")
        check_within("angular.z", msg.angular.z, MAX_YAW_RATE, " rad/s")
        self._car.command(DriveCommand(msg.linear.x, msg.angular.z))
        self._lockstep.add_command(time.monotonic())

    def _on_diagnostics(self, data: bytes) -> None:
        for status in _deserialized(data, DiagnosticArray).status:
            if status.level[0]:
                self.problems[status.name] = status.message
            else:
                self.problems.pop(status.name, None)


def _stamp_ns(data: bytes) -> int:
    return read_header(data).stamp_ns


def _deserialized(data: bytes, msgtype: Any) -> Any:
    try:
        return deserialize_message(data, msgtype)
    except RuntimeError as error:  # RMWError of rclpy, which has no public name
        raise DecodeError(f"{len(data)} bytes are not a {msgtype.__name__}") from error
