"""A graph of nodes on real topics, with deadlines instead of sleeps."""

import os
import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy

# [s], generous: the machine may be busy; more where it is very busy.
DEADLINE = float(os.environ.get("CONEGRAD_TEST_DEADLINE", "60"))


class Graph:
    """Nodes of one context, and a peer that talks to them."""

    def __init__(self, context):
        self.context = context
        self.executor = EventsExecutor(context=context)
        self.nodes = []
        self.peer = self.add(Node("peer", context=context))

    def add(self, node):
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def start(self, node_class, **parameters):
        """Make a node with these parameters, add and start it; dots are double underscores."""
        overrides = [
            Parameter(name.replace("__", "."), value=value) for name, value in parameters.items()
        ]
        node = self.add(node_class(context=self.context, parameter_overrides=overrides))
        node.start()
        return node

    def hear(self, msgtype, topic, depth=50):
        """List that fills with the messages of a topic."""
        messages = []
        self.peer.create_subscription(msgtype, topic, messages.append, depth)
        return messages

    def publisher(self, msgtype, topic, reliability=ReliabilityPolicy.RELIABLE):
        return self.peer.create_publisher(
            msgtype, topic, QoSProfile(depth=50, reliability=reliability)
        )

    def until(self, condition, what, again=None):
        """Spin until a condition holds; ``again`` is called twenty times per second meanwhile."""
        deadline, due = time.monotonic() + DEADLINE, 0.0
        while not condition():
            now = time.monotonic()
            assert now < deadline, f"{what}: not within {DEADLINE} s"
            if again is not None and now >= due:
                again()
                due = now + 0.05
            self.executor.spin_once(0.01)

    def connected(self, publisher):
        self.until(
            lambda: publisher.get_subscription_count() > 0, f"subscriber of {publisher.topic_name}"
        )

    def close(self):
        for node in self.nodes:
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()


class Reports:
    """The latest diagnostics by name."""

    def __init__(self, graph):
        self.latest = {}
        self.changes = []
        graph.peer.create_subscription(DiagnosticArray, "/diagnostics", self._take, 50)

    def _take(self, msg):
        for status in msg.status:
            self.latest[status.name] = status

    def text(self, name):
        return self.latest[name].message if name in self.latest else ""

    def level(self, name):
        return self.latest[name].level[0] if name in self.latest else -1
