"""Simulator node: drive commands in, sensors, clock and truth out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.experimental import EventsExecutor
from rclpy.node import Node

from conegrad_core.settings import Config, setting
from conegrad_data.decode import stamp_ns_from_msg
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.graph_monitor import (
    COMMANDS,
    CONES,
    DETECTIONS,
    SEGMENTATION,
    GraphMonitor,
)
from conegrad_simulation.closed_loop.lockstep import Lockstep
from conegrad_simulation.closed_loop.sensor_topics import MessageSink, SensorTopics
from conegrad_simulation.closed_loop.simulator import (
    CAMERA,
    LIDAR,
    ODOMETRY,
    EventOutput,
    SensorConfig,
    Simulator,
)
from conegrad_simulation.recording import sensor_messages
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

WAKE = 0.02  # [s] between two checks of the processes while waiting
TICK = 0.001  # [s] between two checks whether the next event is due
FIRST_COMMAND_WAIT = 5.0  # [s] after the first cones, for the command that answers them
FIRST_MESSAGE_WAIT = (
    0.3  # [s] after the first message of a topic, until its subscribers are taken as connected
)
AWAITED = {  # sensor of the topics that results come of
    sensor_messages.ODOMETRY[0]: ODOMETRY,
    sensor_messages.IMAGE[0]: CAMERA,
    sensor_messages.COMPRESSED_IMAGE[0]: CAMERA,
    sensor_messages.SCAN[0]: LIDAR,
}
FIRST_RESULTS = {CAMERA: DETECTIONS, LIDAR: SEGMENTATION}


@dataclass(frozen=True)
class SimulatorNodeConfig(Config):
    """How simulated time advances."""

    lockstep: bool = setting(
        True, "Time waits for perception and driver; else it follows the wall clock"
    )
    patience: float = setting(60.0, "Longest wait for a result in lockstep [s]", low=0.1)
    pairing_timeout: float = setting(
        0.3, "Parameter pairing.timeout of the fusion node [s]", low=0.0, high=10.0
    )


class SimulatorNode(Node):
    """Simulates a car in a scene.

    In lockstep the time stands still while a result of perception or driver is pending, so that
    the drive is the same on a slow computer. A topic without a publisher is not waited for. The
    fusion has to be triggered by the camera, which is its default.

    Subscribes: ``cmd_vel`` (geometry_msgs/Twist: speed and yaw rate); ``detections``,
    ``segmentation`` and ``cones`` for their stamps; ``/diagnostics``.
    Publishes: ``/clock`` (rosgraph_msgs/Clock), ``image_raw`` (sensor_msgs/Image) or
    ``image_raw/compressed`` (sensor_msgs/CompressedImage), ``camera_info``
    (sensor_msgs/CameraInfo), ``scan`` (sensor_msgs/LaserScan), ``odom`` (nav_msgs/Odometry),
    ``truth`` (conegrad_msgs/TruthCones), ``/tf_static`` (tf2_msgs/TFMessage, where installed).
    Parameters: the fields of :class:`SimulatorNodeConfig`, SceneSettings and SensorConfig;
    ``bicycle.`` with the fields of BicycleConfig.

    Attributes:
        simulator: the car and its world.
        lockstep: pending results of the graph.
        monitor: newest results of the graph.
        now_ns: simulated time as a stamp [ns].
    """

    def __init__(self, simulator: Simulator | None = None, **node_options: Any) -> None:
        """Make the node.

        Args:
            simulator: the simulation to run; None makes one from the parameters.
            node_options: of rclpy.node.Node.

        Raises:
            ValueError: if a parameter is unknown or out of bounds.
        """
        super().__init__("simulator_node", **node_options)
        self._config = declare_config(self, SimulatorNodeConfig)
        self.simulator = simulator or self._declared_simulator()
        self.lockstep = Lockstep(self._config.pairing_timeout)
        self.monitor = GraphMonitor(self, self.simulator.car, self.lockstep)
        self.now_ns = sensor_messages.START_NS
        static = sensor_messages.static_transforms(self.simulator.description.vehicle)
        self._topics = SensorTopics(self, static, is_raw=self.simulator.is_raw)
        self._sink: MessageSink | None = None
        # On the steady clock [s]: of the first event, when the next is due, when waiting ends.
        self._started = self._due = self._wait_until = 0.0

    def _declared_simulator(self) -> Simulator:
        description = describe_scene(declare_config(self, SceneSettings))
        sensors = declare_config(self, SensorConfig)
        return Simulator(description, sensors, declare_config(self, BicycleConfig, "bicycle"))

    def record(self, sink: MessageSink) -> None:
        """Pass every message from now on to a sink, beginning with the static transforms."""
        self._sink = self.monitor.sink = sink
        static = sensor_messages.static_transforms(self.simulator.description.vehicle)
        sink(static.topic, static.msgtype, self._topics.serialized(static))

    def missing_partners(self) -> list[str]:
        """Sensor topics without a subscriber, and result topics without a publisher."""
        silent = [topic for topic in (CONES, COMMANDS) if not self.monitor.has_source(topic)]
        return [*self._topics.without_subscriber(), *silent]

    def step(self) -> EventOutput:
        """Advance to the next event and publish its sensor messages."""
        output = self.simulator.step()
        self.now_ns = max(self.now_ns, output.event.stamp_ns)
        self._topics.set_time(self.now_ns)
        begun = len(self._topics.has_begun)
        for message in output.messages:
            self._track(message)
            data = self._topics.publish(message)
            if self._sink is not None:
                self._sink(message.topic, message.msgtype, data)
        self._set_due(is_first=len(self._topics.has_begun) > begun)
        return output

    def can_advance(self) -> bool:
        """Whether the next event is due and no result is pending.

        After the longest wait the pending results are dropped with a warning.
        """
        now = time.monotonic()
        if self._config.lockstep and (pending := self.lockstep.pending(self.now_ns)):
            if now < self._waits_until(pending):
                return False
            self._abandon()
        return now >= self._due

    def _waits_until(self, pending: list[str]) -> float:
        """When the wait for pending results ends, on the steady clock [s].

        The first cones may be lost: driver and fusion discover each other without this node. The
        first command is not waited for as long as a slow network.
        """
        if not self.lockstep.is_commanded and set(pending) == {"command"}:
            return min(self._wait_until, self.lockstep.cones_at + FIRST_COMMAND_WAIT)
        return self._wait_until

    def wait_until_due(self, executor: EventsExecutor, check: Callable[[], None]) -> None:
        """Run callbacks until the next event may happen.

        Args:
            executor: of this node.
            check: called repeatedly; may raise to end the wait.
        """
        executor.spin_once(0.0)
        while not self.can_advance():
            check()
            executor.spin_once(WAKE)

    def start(self) -> None:
        """Start a timer that steps the simulation, for a node that runs alone."""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK, self._advance, clock=steady)

    def _advance(self) -> None:
        if self.can_advance():
            self.step()

    def _set_due(self, *, is_first: bool) -> None:
        now = time.monotonic()
        self._started = self._started or now
        self._wait_until = now + self._config.patience
        self._due = now + (FIRST_MESSAGE_WAIT if is_first else 0.0)
        if not self._config.lockstep:
            self._due = max(self._due, self._started + self.simulator.car.time)

    def _abandon(self) -> None:
        pending = ", ".join(sorted(set(self.lockstep.abandon(self.now_ns))))
        self.get_logger().warning(
            f"no {pending} within {self._config.patience:g} s: advancing without it"
        )

    def _track(self, message: sensor_messages.TopicMessage) -> None:
        """Note which results a published message makes pending."""
        if message.topic not in AWAITED:
            return
        stamp_ns = stamp_ns_from_msg(message.msg.header.stamp)
        sensor = AWAITED[message.topic]
        if sensor == ODOMETRY:
            self.lockstep.add_odometry(stamp_ns)
        elif self.monitor.has_source(FIRST_RESULTS[sensor]):
            self.lockstep.add_sensor_message(
                sensor, stamp_ns, is_fused=self.monitor.has_source(CONES)
            )


def main() -> None:
    """Entry point of ``ros2 run conegrad_simulation simulator_node``."""
    run([SimulatorNode])


if __name__ == "__main__":
    main()
