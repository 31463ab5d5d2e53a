"""Generated messages with odd values to the driver: commands stay such that a car can follow."""

import pytest

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")
pytest.importorskip("conegrad_msgs.msg", reason="needs the built messages")

from odd_messages import OddMessages
from rclpy.serialization import deserialize_message
from sane_outputs import OutputCheck
from valid_messages import DRIVER_MAKERS

from conegrad_simulation.driver.driver_node import DriverNode

pytestmark = pytest.mark.ros
COUNT = 100  # messages per input; benchmarks/fuzz_nodes.py sends thousands


@pytest.mark.parametrize("topic", list(DRIVER_MAKERS))
def test_odd_inputs_of_the_driver_are_refused_or_followed(context, monkeypatch, topic):
    node, check = DriverNode(context=context), OutputCheck()
    monkeypatch.setattr(node._commands, "publish", check.command)
    inputs = {source.record.topic.lstrip("/"): source for source in node._inputs._inputs}

    def stamped(make):
        msg = make()
        msg.header.stamp = node.get_clock().now().to_msg()
        return msg

    def let_valid_in():
        for name, make in DRIVER_MAKERS.items():
            inputs[name]._on_message(stamped(make))

    odd = OddMessages(lambda: stamped(DRIVER_MAKERS[topic]))
    for number in range(COUNT):
        msg = odd.next()
        if isinstance(msg, bytes):
            try:
                msg = deserialize_message(msg, type(DRIVER_MAKERS[topic]()))
            except RuntimeError:
                continue
        inputs[topic]._on_message(msg)
        if number % 5 == 0:
            let_valid_in()
    assert inputs[topic].record.refused > COUNT // 20
    assert not check.faults
    commands = []
    monkeypatch.setattr(node._commands, "publish", commands.append)
    for _ in range(3):
        let_valid_in()
    assert commands[-1].linear.x > 0
    monkeypatch.undo()
    node.destroy_node()


def test_invalid_cones_are_followed_by_a_command_too(context, monkeypatch):
    node, commands = DriverNode(context=context), []
    monkeypatch.setattr(node._commands, "publish", commands.append)
    msg = DRIVER_MAKERS["cones"]()
    msg.header.stamp = node.get_clock().now().to_msg()
    msg.cones[0].covariance = [1.0, 1.0, 1.0, 1.0]
    cones = node._inputs._inputs[1]
    cones._on_message(msg)
    assert cones.record.refused == 1
    assert len(commands) == 1  # a simulation in lockstep waits for it
    monkeypatch.undo()
    node.destroy_node()
