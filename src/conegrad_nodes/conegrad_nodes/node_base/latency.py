"""How long a node took, as topics and in the diagnostics."""

import time
from collections import deque

from builtin_interfaces.msg import Time
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Float64

from conegrad_data.decode import stamp_ns_from_msg

WINDOW = 200  # latest messages that the diagnostics summarise


class LatencyTopics:
    """Publishes ``~/processing_latency`` and ``~/pipeline_latency`` [s] while subscribed.

    Processing is from the arrival of a message to its result, on the steady clock; pipeline is
    from the stamp of capture to the result, on the clock of the node. What the fusion makes of the
    result in the same process does not count.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._processing = node.create_publisher(Float64, "~/processing_latency", 10)
        self._pipeline = node.create_publisher(Float64, "~/pipeline_latency", 10)
        self._window: deque[float] = deque(maxlen=WINDOW)

    def publish(self, arrival: float, stamp: Time, done: float | None = None) -> None:
        """Note a result, and publish its times.

        Args:
            arrival: ``time.perf_counter()`` when the message arrived.
            stamp: of capture.
            done: ``time.perf_counter()`` when the result was there; None: now.
        """
        if done is None:
            done = time.perf_counter()
        processing = done - arrival
        self._window.append(processing)
        if self._processing.get_subscription_count() > 0:
            self._processing.publish(Float64(data=processing))
        if self._pipeline.get_subscription_count() > 0:
            now = self._node.get_clock().now().nanoseconds
            since_done = time.perf_counter() - done
            pipeline = (now - stamp_ns_from_msg(stamp)) / 1e9 - since_done
            self._pipeline.publish(Float64(data=pipeline))

    def summary(self) -> dict[str, str]:
        """Percentiles of processing, for diagnostics."""
        ordered = sorted(self._window)
        if not ordered:
            return {}
        last = len(ordered) - 1
        return {
            f"processing p{percent} [ms]": f"{1e3 * ordered[last * percent // 100]:.2f}"
            for percent in (50, 95, 99)
        }
