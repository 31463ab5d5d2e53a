"""Nodes that launch starts again, with waits that grow; launch's own respawn always waits alike."""

import time
from collections.abc import Callable
from typing import Any

from launch import LaunchContext
from launch.actions import RegisterEventHandler, TimerAction
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.logging import get_logger
from launch_ros.actions import Node

from conegrad_bringup.launch_environment import enclave
from conegrad_core.processes.back_off import BackOff, BackOffConfig


class Respawned:
    """A node whose process is started again when it crashes or is killed.

    A process that ends with exit code 0 was asked to stop, and is not started again.

    Args:
        make: makes the action; each process needs one of its own.
        name: of the node, for the log.
        config: waits, and tries until giving up.
    """

    def __init__(
        self, make: Callable[[], Node], name: str, config: BackOffConfig | None = None
    ) -> None:
        self._make, self._name = make, name
        self._back_off = BackOff(config or BackOffConfig())
        self._started = time.monotonic()

    def actions(self) -> list[Any]:
        """What starts the node and watches its process."""
        node = self._make()
        return [
            RegisterEventHandler(OnProcessExit(target_action=node, on_exit=self._on_exit)),
            node,
        ]

    def _on_exit(self, event: ProcessExited, context: LaunchContext) -> list[Any]:
        if context.is_shutdown or event.returncode == 0:
            return []
        logger = get_logger("respawn")
        self._back_off.note_well(time.monotonic() - self._started)
        ended = f"{self._name} ended with code {event.returncode}"
        if self._back_off.is_exhausted:
            logger.error(f"{ended}: given up after {self._back_off.count} tries")
            return []
        wait = self._back_off.wait
        self._back_off.note_try()
        self._started = time.monotonic() + wait
        logger.error(f"{ended}: started again in {wait:g} s (try {self._back_off.count})")
        return [TimerAction(period=wait, actions=self.actions())]


def respawned(package: str, executable: str, **options: Any) -> list[Any]:
    """A node by package and executable that is started again; other arguments as of Node."""

    def make() -> Node:
        return Node(
            package=package,
            executable=executable,
            output="screen",
            ros_arguments=enclave(executable),
            **options,
        )

    return Respawned(make, executable).actions()
