"""Runs nodes until they are told to stop."""

import sys
from collections.abc import Callable, Sequence

import rclpy
import torch
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor

from conegrad_nodes.model_node import PerceptionNode

WAKE_PERIOD = 0.5  # [s] between two looks whether the process was told to stop
SWITCH_INTERVAL = 5e-4  # [s] after which a busy Python thread lets the next one run


def run(node_classes: Sequence[Callable[[], PerceptionNode]]) -> None:
    """Run nodes in one process; SIGINT and SIGTERM end it with exit code 0."""
    torch.set_num_threads(1)
    sys.setswitchinterval(SWITCH_INTERVAL)
    rclpy.init()
    nodes: list[PerceptionNode] = []
    executor = EventsExecutor()
    try:
        for node_class in node_classes:
            nodes.append(node_class())
            executor.add_node(nodes[-1])
        for node in nodes:
            node.start()
        # Not executor.spin(): in rclpy 7.1.5 it burns a core and serves no timer.
        while rclpy.ok():
            executor.spin_once(WAKE_PERIOD)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        for node in nodes:
            executor.remove_node(node)
            node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()
