"""Command as a steering angle, where ackermann_msgs is installed; PyPI has no wheel of it."""

import math
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node

from conegrad_core.vehicle import Vehicle
from conegrad_nodes.node_base.qos import RESULTS
from conegrad_simulation.driver.driver import Decision

try:
    from ackermann_msgs.msg import AckermannDriveStamped
except ImportError:
    AckermannDriveStamped = None


class AckermannOutput:
    """Publishes ``ackermann_cmd`` (ackermann_msgs/AckermannDriveStamped) where it is installed.

    Args:
        node: owner of the publisher.
        vehicle: wheel base and steering limit.

    Raises:
        ValueError: if the vehicle has no chassis.
    """

    def __init__(self, node: Node, vehicle: Vehicle) -> None:
        self._node, self._publisher = node, None
        if AckermannDriveStamped is None:
            text = "ackermann_msgs is not installed: commands go to cmd_vel (Twist) only"
            node.get_logger().info(text)
            return
        if vehicle.chassis is None:
            raise ValueError(f"{vehicle.name} has no chassis, expected one for its wheel base")
        self._chassis = vehicle.chassis
        self._publisher = node.create_publisher(AckermannDriveStamped, "ackermann_cmd", RESULTS)

    def publish(self, decision: Decision) -> None:
        """Publish a decision; does nothing without ackermann_msgs."""
        if self._publisher is None:
            return
        angle = math.atan(self._chassis.wheel_base * decision.curvature)
        limit = self._chassis.steering_limit
        msg: Any = AckermannDriveStamped()
        msg.header.stamp = self._node.get_clock().now().to_msg()
        msg.header.frame_id = "base_link"
        msg.drive.speed = decision.speed
        msg.drive.steering_angle = min(max(angle, -limit), limit)
        self._publisher.publish(msg)

    def wait(self, longest: Duration) -> None:
        """Wait until all subscribers have received the last command, at most ``longest``."""
        if self._publisher is not None:
            self._publisher.wait_for_all_acked(longest)
