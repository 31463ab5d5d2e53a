"""The monitor of the graph: valid messages, and bytes or values that cannot be used."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from conegrad_msgs.msg import Cone, ConeArray
from geometry_msgs.msg import Twist
from rclpy.serialization import serialize_message

from conegrad_simulation.closed_loop.graph_monitor import DIAGNOSTICS, TYPES, GraphMonitor

pytestmark = pytest.mark.ros


class Graph:
    """A node without ROS, which keeps what is logged and lets messages in."""

    def __init__(self):
        self.callbacks, self.warnings, self.commands = {}, [], []
        lockstep = SimpleNamespace(
            add_result=lambda *_: None, add_command=lambda _: None, add_cones=lambda *_, **__: None
        )
        car = SimpleNamespace(pose="here", command=self.commands.append)
        self.monitor = GraphMonitor(self, car, lockstep)

    def create_subscription(self, msgtype, topic, callback, qos, raw):
        self.callbacks[topic] = callback

    def resolve_topic_name(self, topic):
        return topic

    def count_publishers(self, topic):
        return 1

    def get_logger(self):
        return SimpleNamespace(warning=lambda text, **_: self.warnings.append(text))


@pytest.mark.parametrize("topic", [*(t[1:] for t in TYPES if t != DIAGNOSTICS), DIAGNOSTICS])
@pytest.mark.parametrize("data", [b"", b"\x00\x01\x00\x00", b"\xff" * 11])
def test_bytes_that_are_not_a_message_are_skipped_with_a_warning(topic, data):
    graph = Graph()
    graph.callbacks[topic](data)
    assert graph.warnings[0].startswith(f"skipped a message on /{topic.lstrip('/')}: ")
    assert f"{len(data)} bytes" in graph.warnings[0]


@pytest.mark.parametrize("speed", [np.nan, np.inf, 1e39])
def test_a_command_outside_the_limits_is_skipped(speed):
    graph, command = Graph(), Twist()
    command.angular.z = 0.5
    graph.callbacks["cmd_vel"](serialize_message(command))
    command.linear.x = speed
    graph.callbacks["cmd_vel"](serialize_message(command))
    assert graph.commands == [(0.0, 0.5)]
    assert "linear.x is" in graph.warnings[0]


def test_cones_with_invalid_covariances_are_skipped():
    graph = Graph()
    msg = ConeArray(cones=[Cone(covariance=[0.1, 0.0, 0.0, 0.1], existence=0.9)])
    graph.callbacks["cones"](serialize_message(msg))
    shown = graph.monitor.cones
    assert len(shown.positions) == 1
    msg.cones[0].covariance = [np.nan] * 4
    graph.callbacks["cones"](serialize_message(msg))
    assert graph.monitor.cones is shown
    assert "covariance is nan" in graph.warnings[0]
