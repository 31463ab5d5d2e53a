"""Simulator node: drive commands in, sensors, clock and truth out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.experimental import EventsExecutor
from rclpy.node import Node

from conegrad_core.settings import Config, setting
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_simulation.closed_loop.bicycle import BicycleConfig
from conegrad_simulation.closed_loop.graph_monitor import (
    COMMANDS,
    CONES,
    DETECTIONS,
    SEGMENTATION,
    Answers,
)
from conegrad_simulation.closed_loop.lockstep import Lockstep
from conegrad_simulation.closed_loop.sensor_topics import Listener, SensorTopics
from conegrad_simulation.closed_loop.simulator import (
    CAMERA,
    LIDAR,
    Happening,
    SensorConfig,
    Simulator,
)
from conegrad_simulation.recording import sensor_messages as says
from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

WAKE = 0.02  # [s] between two looks at the processes while waiting
TICK = 0.001  # [s] between two looks whether the time may go on
FIRST_MESSAGE_WAIT = 0.3  # [s] after the first message of a topic, until it is known to arrive
FIRST_RESULTS = {CAMERA: DETECTIONS, LIDAR: SEGMENTATION}


@dataclass(frozen=True)
class SimulatorNodeConfig(Config):
    """How the time of the simulation goes on."""

    lockstep: bool = setting(True, "Time waits for perception and driver; else it is the wall's")
    patience: float = setting(60.0, "Longest wait for an answer in lockstep [s]", low=0.1)
    pairing_timeout: float = setting(
        0.3, "Parameter pairing.timeout of the fusion node [s]", low=0.0, high=10.0
    )


class SimulatorNode(Node):
    """Simulates a car in a scene.

    In lockstep the time stands still while perception and driver owe an answer, so that the drive
    is the same on a slow computer. What has no publisher is not waited for. The fusion has to be
    triggered by the camera, as it is by default.

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
        lockstep: what the graph owes.
        answers: what it has answered.
        now_ns: time of the simulation as a stamp [ns].
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
        self.answers = Answers(self, self.simulator.car, self.lockstep)
        self.now_ns = says.START_NS
        static = says.static_transforms(self.simulator.description.vehicle)
        self._topics = SensorTopics(self, static, is_raw=self.simulator.is_raw)
        self._listener: Listener | None = None
        # On the steady clock [s]: of the first event, when the next is due, when waiting ends.
        self._started = self._due = self._patient_until = 0.0

    def _declared_simulator(self) -> Simulator:
        description = describe_scene(declare_config(self, SceneSettings))
        sensors = declare_config(self, SensorConfig)
        return Simulator(description, sensors, declare_config(self, BicycleConfig, "bicycle"))

    def record(self, listener: Listener) -> None:
        """Let a listener have everything that is said from now on, static transforms first."""
        self._listener = self.answers.listener = listener
        static = says.static_transforms(self.simulator.description.vehicle)
        listener(static.topic, static.msgtype, self._topics.serialized(static))

    def missing(self) -> list[str]:
        """Topics of the perception that nothing hears, and answers that nothing publishes."""
        answers = [topic for topic in (CONES, COMMANDS) if not self.answers.has_source(topic)]
        return [*self._topics.unheard(), *answers]

    def step(self) -> Happening:
        """Go on to the next event and publish what the sensors say about it."""
        happening = self.simulator.step()
        self.now_ns = max(self.now_ns, happening.event.stamp_ns)
        self._topics.set_time(self.now_ns)
        begun = len(self._topics.has_begun)
        for entry in happening.entries:
            self._book(entry, happening.event.stamp_ns)
            data = self._topics.publish(entry)
            if self._listener is not None:
                self._listener(entry.topic, entry.msgtype, data)
        self._set_due(is_first=len(self._topics.has_begun) > begun)
        return happening

    def may_go_on(self) -> bool:
        """Whether the next event is due and nothing is owed any more."""
        now = time.monotonic()
        if self._config.lockstep and self.lockstep.owed(self.now_ns):
            if now < self._patient_until:
                return False
            self._give_up()
        return now >= self._due

    def settle(self, executor: EventsExecutor, check: Callable[[], None]) -> None:
        """Serve what comes in until the time may go on.

        Args:
            executor: of this node.
            check: called now and then; may raise to end the wait.
        """
        executor.spin_once(0.0)
        while not self.may_go_on():
            check()
            executor.spin_once(WAKE)

    def start(self) -> None:
        """Let the time go on by itself, for a node that is run alone."""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(TICK, self._go_on, clock=steady)

    def _go_on(self) -> None:
        if self.may_go_on():
            self.step()

    def _set_due(self, *, is_first: bool) -> None:
        now = time.monotonic()
        self._started = self._started or now
        self._patient_until = now + self._config.patience
        self._due = now + (FIRST_MESSAGE_WAIT if is_first else 0.0)
        if not self._config.lockstep:
            self._due = max(self._due, self._started + self.simulator.car.time)

    def _give_up(self) -> None:
        owed = ", ".join(sorted(set(self.lockstep.give_up(self.now_ns))))
        self.get_logger().warning(f"no {owed} within {self._config.patience:g} s: going on")

    def _book(self, entry: says.Entry, stamp_ns: int) -> None:
        """Note in the account what a message owes."""
        if entry.topic == says.ODOMETRY[0]:
            self.lockstep.moved(stamp_ns)
        sensors = {says.IMAGE[0]: CAMERA, says.COMPRESSED_IMAGE[0]: CAMERA, says.SCAN[0]: LIDAR}
        sensor = sensors.get(entry.topic)
        if sensor is not None and self.answers.has_source(FIRST_RESULTS[sensor]):
            self.lockstep.sent(sensor, stamp_ns, is_fused=self.answers.has_source(CONES))


def main() -> None:
    """Entry point of ``ros2 run conegrad_simulation simulator_node``."""
    run([SimulatorNode])


if __name__ == "__main__":
    main()
