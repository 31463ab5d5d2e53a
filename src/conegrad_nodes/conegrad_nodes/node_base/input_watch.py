"""Inputs of a node without life cycle, and their state on /diagnostics."""

from collections.abc import Sequence

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from conegrad_data.status.part_status import PartStatus
from conegrad_nodes.monitoring.diagnostics import Diagnostics
from conegrad_nodes.node_base.inputs import Input

WATCH_PERIOD = 0.1  # [s] between two checks of the inputs


class InputWatch:
    """Opens inputs, and reports on them together with what else the node finds.

    Args:
        node: of the inputs.
        inputs: to open.
    """

    def __init__(self, node: Node, inputs: Sequence[Input]) -> None:
        self._diagnostics, self._inputs = Diagnostics(node), inputs
        self._own: Sequence[PartStatus] = ()
        for source in inputs:
            source.open()
        self._of_inputs = [source.status() for source in inputs]
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(WATCH_PERIOD, self._report_inputs, clock=steady)

    def report(self, own: Sequence[PartStatus]) -> None:
        """Report what the node finds, as it stays until the next call."""
        self._own = own
        self._diagnostics.report([*own, *self._of_inputs])

    def _report_inputs(self) -> None:
        self._of_inputs = [source.status() for source in self._inputs]
        self._diagnostics.report([*self._own, *self._of_inputs])
