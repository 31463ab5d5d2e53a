"""Runs a stand-in as a node, until SIGINT or SIGTERM."""

import contextlib
import os
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node


def spin_until_told(set_up: Callable[[Node], None]) -> None:
    """Make a node named as its program, let it be set up, and serve it; ends with exit code 0."""
    rclpy.init()
    node = Node(os.environ["STAND_IN_NAME"])
    set_up(node)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    node.destroy_node()
    rclpy.try_shutdown()
