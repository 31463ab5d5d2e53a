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
from conegrad_simulation.recording import sensor_messages

DEPTH = 5

MessageSink = Callable[[str, str, bytes], None]  # topic, message type, serialized message


class SensorTopics:
    """Publishes the sensor messages, with the same bytes as in a simulated bag.

    Attributes:
        has_begun: topics with at least one published message.
    """

    def __init__(self, node: Node, static: sensor_messages.TopicMessage, *, is_raw: bool) -> None:
        """Create the publishers.

        Args:
            node: owner of the publishers.
            static: transforms of the mountings, for ``/tf_static`` where tf2_msgs is installed.
            is_raw: images are published raw instead of compressed.
        """
        reliable = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._store = default_typestore()
        self._clock = node.create_publisher(Clock, "/clock", reliable)
        image = sensor_messages.IMAGE if is_raw else sensor_messages.COMPRESSED_IMAGE
        topics = (
            image,
            sensor_messages.CAMERA_INFO,
            sensor_messages.SCAN,
            sensor_messages.ODOMETRY,
            sensor_messages.TRUTH,
        )
        # Relative names, unlike those in a bag.
        self._publishers: dict[str, Any] = {
            topic: node.create_publisher(message_class(msgtype), topic[1:], reliable)
            for topic, msgtype in topics
        }
        self._perceived = (image[0], sensor_messages.SCAN[0])
        self.has_begun: set[str] = set()
        if TF_STATIC is not None:
            self._publishers[static.topic] = node.create_publisher(TF_STATIC, static.topic, LATCHED)
            self._publishers[static.topic].publish(self.serialized(static))

    def without_subscriber(self) -> list[str]:
        """Topics of images and scans without a subscriber."""
        topics = self._perceived
        return [t for t in topics if not self._publishers[t].get_subscription_count()]

    def set_time(self, stamp_ns: int) -> None:
        """Publish the simulated time [ns] on ``/clock``."""
        msg = Clock()
        msg.clock.sec, msg.clock.nanosec = divmod(stamp_ns, NANOSECONDS)
        self._clock.publish(msg)

    def publish(self, message: sensor_messages.TopicMessage) -> bytes:
        """Publish a message; returns its serialized bytes."""
        data = self.serialized(message)
        self._publishers[message.topic].publish(data)
        self.has_begun.add(message.topic)
        return data

    def serialized(self, message: sensor_messages.TopicMessage) -> bytes:
        """CDR bytes of a message."""
        return bytes(self._store.serialize_cdr(message.msg, message.msgtype))
