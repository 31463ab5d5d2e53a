"""How time passes for a node: the seconds of a simulation count as long as its clock goes on."""

import time

from rclpy.clock import ROSClock
from rclpy.node import Node

CLOCK_STALL = 0.5  # [s] of real time without progress, after which a simulated clock has stopped


class PassingTime:
    """Seconds by which a node reports that an input has stopped.

    Those of the steady clock; with ``use_sim_time`` those of the simulation, which may take many
    real seconds for one of its own. Where its clock stops, real seconds count on.

    Args:
        node: whose clock it is.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._simulated_ns = -1
        self._changed = 0.0  # steady time of the last progress of a simulated clock

    def now(self) -> float:
        """Seconds from some start, comparable with earlier ones."""
        steady = time.monotonic()
        clock = self._node.get_clock()
        if not isinstance(clock, ROSClock) or not clock.ros_time_is_active:
            return steady
        simulated_ns = clock.now().nanoseconds
        if simulated_ns != self._simulated_ns:
            self._simulated_ns, self._changed = simulated_ns, steady
        stalled = max(0.0, steady - self._changed - CLOCK_STALL)
        return float(simulated_ns / 1e9 + stalled)
