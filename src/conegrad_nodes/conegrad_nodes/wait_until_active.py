"""Waits until nodes are active, for launch files: what comes next then meets a working graph."""

import sys
import time
from dataclasses import dataclass
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from conegrad_core.processes.supervision import ACTIVE, Heartbeat
from conegrad_core.settings import Config, setting
from conegrad_nodes.monitoring.heartbeat import heartbeats_from_msg
from conegrad_nodes.parameters.declared_parameters import declare_config

WAKE = 0.2  # [s] between two checks of the time


@dataclass(frozen=True)
class WaitConfig(Config):
    """Settings of the wait."""

    nodes: tuple[str, ...] = setting(
        ("camera_node", "lidar_node", "fusion_node"), "Nodes to wait for, in the same namespace"
    )
    timeout: float = setting(120.0, "Longest wait [s]", low=0.1)


class WaitNode(Node):
    """Listens to heartbeats on ``/diagnostics`` (diagnostic_msgs/DiagnosticArray).

    Parameters: the fields of :class:`WaitConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("wait_until_active", **node_options)
        self._config = declare_config(self, WaitConfig)
        namespace = self.get_namespace().rstrip("/")
        self._names = [f"{namespace}/{name}" for name in self._config.nodes]
        self._latest: dict[str, Heartbeat] = {}
        self._end = time.monotonic() + self._config.timeout
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)

    @property
    def missing(self) -> list[str]:
        """Nodes that are not active yet, with what they say."""
        return [self._described(name) for name in self._names if not self._is_active(name)]

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._end

    def _is_active(self, name: str) -> bool:
        return name in self._latest and self._latest[name].state == ACTIVE

    def _described(self, name: str) -> str:
        last = self._latest.get(name)
        return f"{name}: {last.trouble or last.state if last else 'no heartbeat yet'}"

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        self._latest.update((beat.node, beat) for beat in heartbeats_from_msg(msg))


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes wait_until_active``; exit code 1 if time is up."""
    rclpy.init()
    node = WaitNode()
    try:
        while node.missing and not node.is_over:
            rclpy.spin_once(node, timeout_sec=WAKE)
        if node.missing:
            sys.exit(f"not active in time: {'; '.join(node.missing)}")
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
