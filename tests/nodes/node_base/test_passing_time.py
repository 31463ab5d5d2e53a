"""Time by which inputs count as stopped: that of the simulation while its clock goes on."""

import time

import pytest

pytest.importorskip("rclpy", reason="needs the ROS 2 environment")

from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.time import Time

from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_nodes.node_base import passing_time
from conegrad_nodes.node_base.passing_time import PassingTime

pytestmark = pytest.mark.ros


class Steady:
    """A steady clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Steady:
    made = Steady()
    monkeypatch.setattr(passing_time, "time", made)
    return made


@pytest.fixture
def simulated(context):
    """A node that lives in simulated time."""
    override = [Parameter("use_sim_time", value=True)]
    node = Node("simulated", context=context, parameter_overrides=override)
    yield node
    node.destroy_node()


def set_clock(node: Node, seconds: float) -> None:
    node.get_clock().set_ros_time_override(
        Time(nanoseconds=round(seconds * 1e9), clock_type=node.get_clock().clock_type)
    )


def state(record: InputRecord, passing: PassingTime) -> str:
    return input_status(record, list, passing.now()).cause


def test_an_input_of_a_slow_simulation_has_not_stopped(simulated, steady):
    passing = PassingTime(simulated)
    record = InputRecord("scan", "sensor_msgs/msg/LaserScan", timeout=1.0, stamp_tolerance=1.0)
    set_clock(simulated, 50.0)
    record.arrive(passing.now())
    for step in range(1, 40):  # a hundredth of a second of it takes 0.4 s
        steady.now += 0.4
        set_clock(simulated, 50.0 + 0.01 * step)
        assert state(record, passing) == "receiving"
    set_clock(simulated, 51.1)
    assert state(record, passing) == "stopped"


def test_an_input_has_stopped_with_the_clock_of_the_simulation(simulated, steady):
    passing = PassingTime(simulated)
    record = InputRecord("scan", "sensor_msgs/msg/LaserScan", timeout=1.0, stamp_tolerance=1.0)
    set_clock(simulated, 50.0)
    record.arrive(passing.now())
    steady.now += 1.4
    assert state(record, passing) == "receiving"
    steady.now += 0.2
    assert state(record, passing) == "stopped"


def test_without_a_simulation_the_steady_clock_counts(context):
    node = Node("real", context=context)
    before = time.monotonic()
    assert before <= PassingTime(node).now() <= time.monotonic()
    node.destroy_node()
