"""The topics of the simulated car: clock, sensors, odometry and truth."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from conegrad_data.bags.types import default_typestore
from conegrad_nodes.node_base.qos import LATCHED
from conegrad_nodes.node_base.static_transforms import TF_STATIC
from conegrad_nodes.playback.link import message_class
from conegrad_simulation.closed_loop.lockstep import NANOSECONDS
from conegrad_simulation.recording import sensor_messages as says

DEPTH = 5

Listener = Callable[[str, str, bytes], None]  # topic, message type, serialized message


class SensorTopics:
    """Publishes what the sensors say, with the bytes of a simulated bag.

    Attributes:
        has_begun: topics on which something was published.
    """

    def __init__(self, node: Node, static: says.Entry, *, is_raw: bool) -> None:
        """Open the topics.

        Args:
            node: publishes.
            static: the mountings of the sensors, for ``/tf_static`` where tf2_msgs is installed.
            is_raw: images are raw, not compressed.
        """
        reliable = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._store = default_typestore()
        self._clock = node.create_publisher(Clock, "/clock", reliable)
        image = says.IMAGE if is_raw else says.COMPRESSED_IMAGE
        topics = (image, says.CAMERA_INFO, says.SCAN, says.ODOMETRY, says.TRUTH)
        # Relative names, unlike those in a bag.
        self._publishers: dict[str, Any] = {
            topic: node.create_publisher(message_class(msgtype), topic[1:], reliable)
            for topic, msgtype in topics
        }
        self._perceived = (image[0], says.SCAN[0])
        self.has_begun: set[str] = set()
        if TF_STATIC is not None:
            self._publishers[static.topic] = node.create_publisher(TF_STATIC, static.topic, LATCHED)
            self._publishers[static.topic].publish(self.serialized(static))

    def unheard(self) -> list[str]:
        """Topics of the perception that nothing subscribes to."""
        topics = self._perceived
        return [t for t in topics if not self._publishers[t].get_subscription_count()]

    def set_time(self, stamp_ns: int) -> None:
        """Publish the time of the simulation."""
        msg = Clock()
        msg.clock.sec, msg.clock.nanosec = divmod(stamp_ns, NANOSECONDS)
        self._clock.publish(msg)

    def publish(self, entry: says.Entry) -> bytes:
        """Publish a message; returns its bytes."""
        data = self.serialized(entry)
        self._publishers[entry.topic].publish(data)
        self.has_begun.add(entry.topic)
        return data

    def serialized(self, entry: says.Entry) -> bytes:
        """The bytes of a message."""
        return bytes(self._store.serialize_cdr(entry.msg, entry.msgtype))
