"""Simulator node: drive commands in, sensors, clock and truth out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rclpy
from conegrad_msgs.msg import ConeArray
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock

from conegrad_core.config import Config, setting
from conegrad_nodes.bags.info import read_stamp
from conegrad_nodes.bags.types import default_typestore
from conegrad_nodes.parameters import declare_config
from conegrad_nodes.playback.link import message_class
from conegrad_nodes.qos import LATCHED
from conegrad_nodes.static_transforms import TF_STATIC
from conegrad_simulation import sensor_messages as says
from conegrad_simulation.closed_loop.bicycle import BicycleConfig, DriveCommand
from conegrad_simulation.closed_loop.lockstep import NANOSECONDS, Lockstep
from conegrad_simulation.closed_loop.simulator import (
    CAMERA,
    LIDAR,
    Happening,
    SensorConfig,
    Simulator,
)
from conegrad_simulation.gazebo.scene_settings import SceneSettings, describe_scene

DEPTH = 200  # answers that wait at most; they are small
COMMANDS = ("/cmd_vel", "geometry_msgs/msg/Twist")
ANSWERS = {
    "/detections": "conegrad_msgs/msg/ConeDetectionArray",
    "/segmentation": "conegrad_msgs/msg/ScanSegmentation",
    "/cones": "conegrad_msgs/msg/ConeArray",
    COMMANDS[0]: COMMANDS[1],
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
}
WAKE = 0.02  # [s] between two looks whether the process was told to stop
FIRST_MESSAGE_WAIT = 0.3  # [s] after the first message of a topic, until it is known to arrive

Listener = Callable[[str, str, bytes], None]


@dataclass(frozen=True)
class SimulatorNodeConfig(Config):
    """How the time of the simulation goes on."""

    lockstep: bool = setting(True, "Time waits for perception and driver; else it is the wall's")
    patience: float = setting(20.0, "Longest wait for an answer in lockstep [s]", low=0.1)
    pairing_timeout: float = setting(
        0.3, "Parameter pairing.timeout of the fusion node [s]", low=0.0, high=10.0
    )
    trigger: str = setting(CAMERA, "Parameter pairing.trigger of the fusion node: only camera")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trigger != CAMERA:
            raise ValueError(f"SimulatorNodeConfig.trigger is {self.trigger!r}, expected 'camera'")


class SimulatorNode(Node):
    """Simulates a car in a scene.

    In lockstep the time stands still while perception and driver owe an answer, so that the drive
    is the same on a slow computer. What has no publisher is not waited for.

    Subscribes: ``cmd_vel`` (geometry_msgs/Twist: speed and yaw rate); in lockstep ``detections``,
    ``segmentation`` and ``cones`` for their stamps; ``/diagnostics``.
    Publishes: ``/clock`` (rosgraph_msgs/Clock), ``image_raw`` (sensor_msgs/Image) or
    ``image_raw/compressed`` (sensor_msgs/CompressedImage), ``camera_info``
    (sensor_msgs/CameraInfo), ``scan`` (sensor_msgs/LaserScan), ``odom`` (nav_msgs/Odometry),
    ``truth`` (conegrad_msgs/TruthCones), ``/tf_static`` (tf2_msgs/TFMessage, where installed).
    Parameters: the fields of :class:`SimulatorNodeConfig`, SceneSettings and SensorConfig;
    ``bicycle.`` with the fields of BicycleConfig.
    """

    def __init__(self, simulator: Simulator | None = None, **node_options: Any) -> None:
        """Make the node.

        Args:
            simulator: what to run; None makes one from the parameters.
            node_options: of rclpy.node.Node.
        """
        super().__init__("simulator_node", **node_options)
        self._config = declare_config(self, SimulatorNodeConfig)
        self.simulator = simulator or self._declared_simulator()
        self.lockstep = Lockstep(self._config.pairing_timeout)
        self.listener: Listener | None = None
        self.problems: dict[str, str] = {}
        self.cones: ConeArray | None = None  # newest
        self._store = default_typestore()
        self._now_ns = says.START_NS
        self._first_wall: float | None = None
        self._open_topics()

    def _declared_simulator(self) -> Simulator:
        description = describe_scene(declare_config(self, SceneSettings))
        sensors = declare_config(self, SensorConfig)
        return Simulator(description, sensors, declare_config(self, BicycleConfig, "bicycle"))

    def _open_topics(self) -> None:
        reliable = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
        self._clock = self.create_publisher(Clock, "/clock", reliable)
        self._begun: set[str] = set()
        is_raw = self.simulator.is_raw
        image = says.IMAGE if is_raw else says.COMPRESSED_IMAGE
        topics = (image, says.CAMERA_INFO, says.SCAN, says.ODOMETRY, says.TRUTH)
        self._publishers_by_topic = {
            topic: self.create_publisher(message_class(msgtype), topic[1:], reliable)
            for topic, msgtype in topics
        }
        self._inputs = (image[0], says.SCAN[0])
        if TF_STATIC is not None:
            self._static = self.create_publisher(TF_STATIC, "/tf_static", LATCHED)
            entry = says.static_transforms(self.simulator.description.vehicle)
            self._static.publish(self.serialized(entry))
        answers = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        for topic, msgtype in ANSWERS.items():
            name = topic if topic == "/diagnostics" else topic[1:]
            self.create_subscription(
                message_class(msgtype), name, self._forward(topic, msgtype), answers, raw=True
            )

    @property
    def now_ns(self) -> int:
        """Time of the simulation as a stamp [ns]."""
        return self._now_ns

    def silent_partners(self) -> list[str]:
        """Inputs of the perception that nothing hears, and commands that nothing publishes."""
        heard = self._publishers_by_topic
        silent = [t for t in self._inputs if not heard[t].get_subscription_count()]
        return silent + [t for t in (COMMANDS[0], "/cones") if not self._has_publisher(t)]

    def is_waiting(self) -> bool:
        """Whether the time stands still for an answer."""
        return self._config.lockstep and bool(self.lockstep.owed(self._now_ns))

    def step(self) -> Happening:
        """Go on to the next event and publish what the sensors say about it."""
        happening = self.simulator.step()
        self._advance(happening.event.stamp_ns)
        for entry in happening.entries:
            self._note(entry.topic, happening)
            data = self.serialized(entry)
            self._publishers_by_topic[entry.topic].publish(data)
            if self.listener is not None:
                self.listener(entry.topic, entry.msgtype, data)
        return happening

    def serialized(self, entry: says.Entry) -> bytes:
        """The bytes of a message."""
        return bytes(self._store.serialize_cdr(entry.msg, entry.msgtype))

    def give_up(self) -> None:
        """Go on although answers are missing, and say so."""
        owed = ", ".join(sorted(set(self.lockstep.give_up(self._now_ns))))
        self.get_logger().warning(f"no {owed} within {self._config.patience:g} s: going on")

    def wait_wall(self) -> float:
        """Time until the next event is due by the wall clock [s]; 0 in lockstep."""
        if self._config.lockstep:
            return 0.0
        now = time.monotonic()
        self._first_wall = self._first_wall or now
        return max(0.0, self._first_wall + self.simulator.car.time - now)

    @property
    def patience(self) -> float:
        """Longest wait for an answer [s]."""
        return self._config.patience

    def first_wait(self) -> float:
        """Time to wait because a topic has just begun [s]."""
        fresh = self._fresh
        self._fresh = False
        return FIRST_MESSAGE_WAIT if fresh else 0.0

    _fresh = False

    def _advance(self, stamp_ns: int) -> None:
        self._now_ns = max(self._now_ns, stamp_ns)
        msg = Clock()
        msg.clock.sec, msg.clock.nanosec = divmod(self._now_ns, NANOSECONDS)
        self._clock.publish(msg)

    def _note(self, topic: str, happening: Happening) -> None:
        if topic not in self._begun:
            self._begun.add(topic)
            self._fresh = True
        if topic == says.ODOMETRY[0]:
            self.lockstep.moved(happening.event.stamp_ns)
        sensor = CAMERA if topic == self._inputs[0] else LIDAR
        if topic not in self._inputs or not self._config.lockstep:
            return
        answer = "/detections" if sensor == CAMERA else "/segmentation"
        if self._has_publisher(answer):
            is_fused = self._has_publisher("/cones")
            self.lockstep.sent(sensor, happening.event.stamp_ns, is_fused=is_fused)

    def _has_publisher(self, topic: str) -> bool:
        return self.count_publishers(self.resolve_topic_name(topic[1:])) > 0

    def _forward(self, topic: str, msgtype: str) -> Callable[[bytes], None]:
        def take(data: bytes) -> None:
            if self.listener is not None:
                self.listener(topic, msgtype, data)
            self._take(topic, data)

        return take

    def _take(self, topic: str, data: bytes) -> None:
        if topic == COMMANDS[0]:
            msg = deserialize_message(data, Twist)
            self.simulator.car.command(DriveCommand(msg.linear.x, msg.angular.z))
            self.lockstep.commanded()
        elif topic == "/cones":
            msg = self.cones = deserialize_message(data, ConeArray)
            camera_ns = _stamp_ns(msg.camera_stamp) if msg.camera_used else None
            lidar_ns = _stamp_ns(msg.lidar_stamp) if msg.lidar_used else None
            is_driven = self._has_publisher(COMMANDS[0])
            self.lockstep.fused(camera_ns, lidar_ns, is_driven=is_driven)
        elif topic == "/diagnostics":
            self._note_problems(deserialize_message(data, DiagnosticArray))
        else:
            sensor = CAMERA if topic == "/detections" else LIDAR
            self.lockstep.answered(sensor, read_stamp(data).stamp_ns)

    def _note_problems(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            if status.level[0]:
                self.problems[status.name] = status.message
            else:
                self.problems.pop(status.name, None)


def _stamp_ns(stamp: Any) -> int:
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def settle(node: SimulatorNode, executor: EventsExecutor, check: Callable[[], None]) -> None:
    """Serve answers until the time may go on.

    Args:
        node: the simulator.
        executor: of the node.
        check: called now and then; may raise to end the wait.
    """
    end = time.monotonic() + node.patience
    while node.is_waiting():
        check()
        executor.spin_once(WAKE)
        if time.monotonic() > end:
            node.give_up()
    until = time.monotonic() + max(node.wait_wall(), node.first_wait())
    while (remaining := until - time.monotonic()) > 0:
        check()
        executor.spin_once(min(WAKE, remaining))


def main() -> None:
    """Entry point of ``ros2 run conegrad_simulation simulator_node``."""
    rclpy.init()
    executor = EventsExecutor()
    node = SimulatorNode()
    executor.add_node(node)
    try:
        while rclpy.ok():
            node.step()
            executor.spin_once(0.0)
            settle(node, executor, _end_on_shutdown)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()


def _end_on_shutdown() -> None:
    if not rclpy.ok():
        raise ExternalShutdownException


if __name__ == "__main__":
    main()
