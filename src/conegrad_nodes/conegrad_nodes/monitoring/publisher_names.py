"""Who publishes a topic, as the graph of ROS knows it."""

import time

from rclpy.node import Node

from conegrad_data.status.part_status import Level, PartStatus
from conegrad_data.status.publisher_watch import PublisherWatch

PERIOD = 1.0  # [s] between two questions: each takes a millisecond


class PublisherNames:
    """Names of the nodes that publish a topic, asked for once per second.

    Args:
        node: that asks.
        topic: full name.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._node, self._topic = node, topic
        self._asked = -PERIOD

    def due(self) -> list[str] | None:
        """Full name of the node of each publisher; None where it was asked a moment ago."""
        now = time.monotonic()
        if now - self._asked < PERIOD:
            return None
        self._asked = now
        found = self._node.get_publishers_info_by_topic(self._topic)
        return [f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in found]


class OwnTopic:
    """A topic that a node publishes, and nobody else should.

    Args:
        node: that publishes it.
        topic: full name.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._names, self._topic = PublisherNames(node, topic), topic
        self._watch = PublisherWatch()

    def statuses(self) -> list[PartStatus]:
        """One status if somebody else publishes it, else none."""
        now = time.monotonic()
        if (names := self._names.due()) is not None:
            self._watch.note(names, now)
        fault = self._watch.fault(self._topic, now)
        part = f"output {self._topic}"
        return [PartStatus(part, Level.ERROR, "several publishers", fault)] if fault else []
