"""Driver node: cones and odometry in, drive commands out."""

import math
from dataclasses import dataclass
from typing import Any

from conegrad_msgs.msg import ConeArray
from geometry_msgs.msg import PoseStamped, Twist
from nav_msgs.msg import Odometry, Path
from rclpy.duration import Duration
from rclpy.node import Node

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_data.calibration.static_frames import StaticFrames
from conegrad_data.decode import (
    DecodeError,
    cones_from_msg,
    reasons_from_msg,
    speed_from_msg,
    stamp_ns_from_msg,
)
from conegrad_data.recording.base_odometry import BASE_FRAME, BaseOdometry, NewFrameError
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.node_base.input_watch import InputWatch
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.qos import RESULTS, input_qos
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_simulation.driver.ackermann import AckermannOutput
from conegrad_simulation.driver.cone_memory import MemoryConfig
from conegrad_simulation.driver.driver import (
    DRIVING,
    Decision,
    Driver,
    DriverConfig,
    DriverSettings,
)
from conegrad_simulation.driver.lane_search import SearchConfig
from conegrad_simulation.driver.pursuit import PursuitConfig

ODOMETRY_DEPTH = 50  # messages that wait at most: half a second
# [s], largest difference of a stamp from the node's clock. Cones with a later stamp would never
# be too old to drive on; one far behind would start a new run and clear the memory.
MAX_AHEAD, MAX_BEHIND = 0.5, 5.0
LAST_COMMAND_WAIT = Duration(seconds=0.5)  # longest wait until the last command has arrived


@dataclass(frozen=True)
class DriverNodeConfig(Config):
    """Settings of the driver node."""

    vehicle: str = setting("formula_student", "Vehicle preset by name, or a YAML file")
    watch_period: float = setting(
        0.02, "Time between two checks whether to stop [s]", low=0.001, high=0.2
    )
    reliability: str = setting("best_effort", "QoS of the odometry: best_effort or reliable")
    input_timeout: float = setting(1.0, "An input counts as stopped after this [s]", low=0.01)
    stamp_tolerance: float = setting(
        1.0, "Largest difference of a stamp from the clock [s]", low=0.0
    )
    ackermann: bool = setting(True, "Publish ackermann_cmd as well, if ackermann_msgs is installed")


# Settings of the driver, each with the prefix of its parameters.
PARTS: tuple[tuple[str, type[Config]], ...] = (
    ("", DriverNodeConfig),
    ("", DriverConfig),
    ("memory", MemoryConfig),
    ("search", SearchConfig),
    ("pursuit", PursuitConfig),
)


class DriverNode(Node):
    """Drives along the lane between perceived cones, and stops without them.

    The node publishes one command per message of cones. A timer on the clock of the node (simulated
    time with ``use_sim_time``) commands a stop when cones or odometry are missing. A node that
    ends publishes a stop as its last command.

    Subscribes: ``cones`` (conegrad_msgs/ConeArray), ``odom`` (nav_msgs/Odometry).
    Publishes: ``cmd_vel`` (geometry_msgs/Twist: speed and yaw rate); ``ackermann_cmd``
    (ackermann_msgs/AckermannDriveStamped) where that package is installed; ``lane``
    (nav_msgs/Path, the centre line in the frame of the odometry) while subscribed;
    ``/diagnostics``.
    Parameters: the fields of :class:`DriverNodeConfig` and of DriverConfig; ``memory.``,
    ``search.`` and ``pursuit.`` with the fields of MemoryConfig, SearchConfig and PursuitConfig.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("driver_node", **node_options)
        config = declare_config(self, DriverNodeConfig)
        settings = DriverSettings(
            declare_config(self, DriverConfig),
            declare_config(self, MemoryConfig, "memory"),
            declare_config(self, SearchConfig, "search"),
            declare_config(self, PursuitConfig, "pursuit"),
        )
        vehicle = load_vehicle(config.vehicle)
        self._driver = Driver(vehicle, settings)
        # Odometry of the base alone: the speed of another frame has other axes.
        self._base = BaseOdometry.of_frames(StaticFrames(()), tell=self.get_logger().info)
        self._odometry_frame = "odom"
        self._commands = self.create_publisher(Twist, "cmd_vel", RESULTS)
        self._lane = self.create_publisher(Path, "lane", RESULTS)
        self._ackermann = AckermannOutput(self, vehicle) if config.ackermann else None
        odometry = input_qos(config.reliability, ODOMETRY_DEPTH)
        limits: dict[str, Any] = {
            "timeout": config.input_timeout,
            "stamp_tolerance": config.stamp_tolerance,
        }
        self._inputs = InputWatch(
            self,
            [
                Input(self, Odometry, "odom", self._on_odometry, odometry, **limits),
                Input(self, ConeArray, "cones", self._on_cones, RESULTS, **limits),
            ],
        )
        self.create_timer(config.watch_period, self._stop_if_needed)

    def start(self) -> None:
        """Do nothing: the node works from the first message on."""

    def destroy_node(self) -> None:
        """Command a stop, then destroy the node, so that the car does not follow an old command."""
        if self.context.ok():
            self._command(Decision(0.0, 0.0, "ended", "stopped: the driver ends"))
            self._commands.wait_for_all_acked(LAST_COMMAND_WAIT)
            if self._ackermann is not None:
                self._ackermann.wait(LAST_COMMAND_WAIT)
        super().destroy_node()

    def _on_odometry(self, msg: Odometry, arrival: float) -> None:
        stamp_ns = self._stamp_ns(msg)
        try:
            pose, speed = self._base.pose(msg), speed_from_msg(msg)
        except NewFrameError:
            self._driver.clear()  # its cones are in the old frame
            raise
        self._odometry_frame = msg.header.frame_id
        self._driver.add_odometry(stamp_ns, pose, speed)

    def _on_cones(self, msg: ConeArray, arrival: float) -> None:
        try:
            self._driver.add_cones(
                self._stamp_ns(msg),
                cones_from_msg(msg),
                in_base=msg.header.frame_id.lstrip("/") == BASE_FRAME,
                has_camera=msg.camera_used,
                has_lidar=msg.lidar_used,
                reasons=reasons_from_msg(msg),
            )
        finally:
            # Also after an invalid message: a simulation in lockstep waits for a command.
            self._command(self._decide())
        if self._lane.get_subscription_count() > 0:
            self._publish_lane(msg)

    def _stamp_ns(self, msg: Any) -> int:
        stamp_ns = stamp_ns_from_msg(msg.header.stamp)
        age = (self.get_clock().now().nanoseconds - stamp_ns) / 1e9
        if not -MAX_AHEAD <= age <= MAX_BEHIND:
            side = "behind" if age > 0 else "ahead of"
            raise DecodeError(
                f"its stamp is {abs(age):.1f} s {side} the node's clock, expected at most "
                f"{MAX_AHEAD:g} s ahead and {MAX_BEHIND:g} s behind: synchronise the clocks"
            )
        return stamp_ns

    def _stop_if_needed(self) -> None:
        decision = self._decide()
        if decision.cause != DRIVING:
            self._command(decision)

    def _decide(self) -> Decision:
        decision = self._driver.decide(self.get_clock().now().nanoseconds)
        level = Level.OK if decision.cause == DRIVING else Level.WARN
        self._inputs.report([PartStatus("driver", level, decision.cause, decision.text)])
        return decision

    def _command(self, decision: Decision) -> None:
        if not (math.isfinite(decision.speed) and math.isfinite(decision.curvature)):
            raise RuntimeError(f"the driver decided on {decision}, expected finite values")
        msg = Twist()
        msg.linear.x = decision.speed
        msg.angular.z = decision.speed * decision.curvature
        self._commands.publish(msg)
        if self._ackermann is not None:
            self._ackermann.publish(decision)

    def _publish_lane(self, msg: ConeArray) -> None:
        path = Path()
        path.header.stamp, path.header.frame_id = msg.header.stamp, self._odometry_frame
        for x, y in self._driver.line_in_odometry().tolist():
            place = PoseStamped(header=path.header)
            place.pose.position.x, place.pose.position.y = x, y
            path.poses.append(place)
        self._lane.publish(path)


def main() -> None:
    """Entry point of ``ros2 run conegrad_simulation driver_node``."""
    run([DriverNode])


if __name__ == "__main__":
    main()
