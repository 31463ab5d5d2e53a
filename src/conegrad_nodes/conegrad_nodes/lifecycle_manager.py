"""Lifecycle manager: brings nodes that crashed, hang or failed to start back to work."""

import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from conegrad_core.processes.supervision import (
    Action,
    Condition,
    Order,
    SupervisionConfig,
    Supervisor,
)
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_nodes.monitoring.diagnostics import Diagnostics
from conegrad_nodes.monitoring.heartbeat import heartbeats_from_msg
from conegrad_nodes.monitoring.process_identity import end_process, own_launcher
from conegrad_nodes.node_base.running import run
from conegrad_nodes.parameters.declared_parameters import declare_config
from conegrad_nodes.parameters.node_settings import LifecycleManagerConfig

DECISION_PERIOD = 0.2  # [s] between two decisions
TRANSITIONS = {
    Action.CONFIGURE: Transition.TRANSITION_CONFIGURE,
    Action.ACTIVATE: Transition.TRANSITION_ACTIVATE,
}


class LifecycleManager(Node):
    """Looks after other nodes by their heartbeats on ``/diagnostics``.

    A node that failed to start is configured and activated again, with waits that grow. The
    process of a silent one, stopped or hung, is killed: who started it (``respawn`` of launch)
    starts it again, and it activates itself. A process that the launch of this node did not start
    is left alone, whatever a heartbeat says.

    Subscribes: ``/diagnostics`` (diagnostic_msgs/DiagnosticArray). Calls: ``change_state`` of the
    nodes. Publishes: ``/diagnostics``, one status per node.
    Parameters: the fields of :class:`LifecycleManagerConfig` and of
    :class:`conegrad_core.processes.supervision.SupervisionConfig`.
    """

    def __init__(self, **node_options: Any) -> None:
        super().__init__("lifecycle_manager", **node_options)
        self._config = declare_config(self, LifecycleManagerConfig)
        self._launcher = self._config.launcher or own_launcher()
        names = {f"{self.get_namespace().rstrip('/')}/{name}" for name in self._config.nodes}
        self._supervisor = Supervisor(
            sorted(names), declare_config(self, SupervisionConfig), time.monotonic()
        )
        self._transitions: dict[str, Client] = {
            name: self.create_client(ChangeState, f"{name}/change_state") for name in sorted(names)
        }
        self._diagnostics = Diagnostics(self)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self.create_timer(DECISION_PERIOD, self._act, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def start(self) -> None:
        """Nothing to load: the node works from the first heartbeat on."""

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for heartbeat in heartbeats_from_msg(msg):
            self._supervisor.receive(heartbeat, time.monotonic())

    def _act(self) -> None:
        now = time.monotonic()
        for order in self._supervisor.due_orders(now):
            self._carry_out(order)
        self._diagnostics.report([_finding(c) for c in self._supervisor.conditions(now)])

    def _carry_out(self, order: Order) -> None:
        if order.action is Action.END:
            self._end(order)
            return
        self.get_logger().warning(f"asks {order.node} to {order.action.value}")
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS[order.action]
        self._transitions[order.node].call_async(request)

    def _end(self, order: Order) -> None:
        place = f"process {order.process.pid} of {order.node}, which is silent"
        if not self._config.end_silent:
            self.get_logger().error(f"{place}, is left alone: end_silent is false")
            return
        try:
            reason = end_process(order.process, self._launcher)
        except PermissionError as error:
            reason = str(error)
        self.get_logger().error(
            f"{place}, is left alone: {reason}" if reason else f"{place}, is ended"
        )


def _finding(condition: Condition) -> PartStatus:
    level = Level.OK if condition.is_fine else Level.ERROR
    return PartStatus(condition.node.rpartition("/")[2], level, condition.cause, condition.text)


def main() -> None:
    """Entry point of ``ros2 run conegrad_nodes lifecycle_manager``."""
    run([LifecycleManager])


if __name__ == "__main__":
    main()
