"""A subscription that records its messages and skips those that cannot be used."""

import pytest
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_messages import scan_msg
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Float64

from conegrad_data.decode import DecodeError
from conegrad_nodes.node_base import intra_process
from conegrad_nodes.node_base.inputs import Input
from conegrad_nodes.node_base.qos import input_qos

pytestmark = pytest.mark.ros


@pytest.fixture
def node(graph, context):
    return graph.add(Node("reader", context=context))


def open_input(node, handler, msgtype=LaserScan, **options):
    limits = {"timeout": 1.0, "stamp_tolerance": 1.0}
    qos = input_qos("reliable", 10)
    source = Input(node, msgtype, "scan", handler, qos, **limits, **options)
    source.open()
    return source


def test_a_message_reaches_the_handler_with_its_arrival(graph, node):
    received = []
    source = open_input(node, lambda msg, arrival: received.append((msg, arrival)))
    scans = graph.publisher(LaserScan, "scan")
    graph.connected(scans)
    scans.publish(scan_msg(stamp=3))
    graph.until(lambda: received, "a scan")
    assert received[0][0].header.stamp.sec == 3
    assert received[0][1] > 0
    assert (source.record.received, source.record.refused) == (1, 0)
    assert source.record.topic == "/scan"


def test_a_message_without_header_is_recorded_as_well(graph, node):
    received = []
    source = open_input(node, lambda msg, arrival: received.append(msg.data), Float64)
    numbers = graph.publisher(Float64, "scan")
    graph.connected(numbers)
    numbers.publish(Float64(data=2.5))
    graph.until(lambda: received, "a number")
    assert received == [2.5]
    assert source.record.received == 1


def test_a_decode_error_is_counted_and_the_next_message_is_read(graph, node):
    received = []

    def handler(msg, arrival):
        if msg.header.stamp.sec == 1:
            raise DecodeError("the first one is broken")
        received.append(msg)

    source = open_input(node, handler)
    scans = graph.publisher(LaserScan, "scan")
    graph.connected(scans)
    for stamp in (1, 2):
        scans.publish(scan_msg(stamp=stamp))
    graph.until(lambda: received, "the second scan")
    assert source.record.refused == 1
    assert source.record.refusal == "the first one is broken"


def test_any_other_error_of_the_handler_is_raised(graph, node):
    def handler(msg, arrival):
        raise RuntimeError("out of memory")

    open_input(node, handler)
    scans = graph.publisher(LaserScan, "scan")
    graph.connected(scans)
    with pytest.raises(RuntimeError, match="out of memory"):
        graph.until(lambda: False, "an error", again=lambda: scans.publish(scan_msg()))


def test_the_message_of_an_intra_process_result_is_skipped(graph, node, context):
    messages, results = [], []
    source = open_input(
        node,
        lambda msg, arrival: messages.append(msg.header.stamp.sec),
        result_handler=lambda msg, result, arrival: results.append(result),
    )
    first = scan_msg(stamp=1)
    intra_process.publish(context, "/scan", first, "decoded already")
    scans = graph.publisher(LaserScan, "scan")
    graph.connected(scans)
    for msg in (first, scan_msg(stamp=2)):
        scans.publish(msg)
    graph.until(lambda: messages, "the second scan")
    assert (messages, results) == ([2], ["decoded already"])
    assert source.record.received == 2


def test_a_closed_input_gets_nothing_and_a_new_record_when_it_opens(graph, node, context):
    results = []
    source = open_input(
        node,
        lambda msg, arrival: None,
        result_handler=lambda msg, result, arrival: results.append(result),
    )
    intra_process.publish(context, "/scan", scan_msg(stamp=1), "first")
    source.close()
    intra_process.publish(context, "/scan", scan_msg(stamp=2), "second")
    assert results == ["first"]
    source.open()
    assert source.record.received == 0


def test_a_publisher_of_another_reliability_is_reported(graph, node):
    source = open_input(node, lambda msg, arrival: None)
    graph.publisher(LaserScan, "scan", ReliabilityPolicy.BEST_EFFORT)
    graph.until(lambda: source.record.incompatible_policy, "an incompatible publisher")
    assert source.record.incompatible_policy == "reliability"
