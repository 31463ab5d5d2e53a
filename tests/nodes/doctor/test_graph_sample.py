"""A running graph as the doctor sees it."""

import threading

from conegrad_msgs.msg import ConeArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_messages import scan_msg
from sensor_msgs.msg import LaserScan

from conegrad_data.bags.reader import BagReader
from conegrad_nodes.doctor.graph_sample import sample_graph
from conegrad_nodes.fusion_node import FusionNode


def test_messages_endpoints_states_and_parameters_are_sampled(graph, domain, tmp_path):
    scans = graph.publisher(LaserScan, "scan", ReliabilityPolicy.BEST_EFFORT)
    graph.peer.create_publisher(ConeArray, "results", 5)
    asks = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    graph.peer.create_subscription(LaserScan, "scan", lambda msg: None, asks)
    graph.start(FusionNode, autostart=True, pairing__camera_offset=0.01)
    samples = []
    thread = threading.Thread(
        target=lambda: samples.append(sample_graph(tmp_path, 1.2, domain=domain))
    )
    thread.start()
    graph.until(lambda: samples, "a sample", again=lambda: scans.publish(scan_msg()))
    thread.join()
    (sample,) = samples
    assert sample.received["/scan"] > 3
    assert sample.received["/results"] == 0
    assert [endpoint.node for endpoint in sample.publishers["/scan"]] == ["/peer"]
    assert [topic for topic, *_ in sample.mismatches()] == ["/scan"]
    assert sample.states.keys() == {"/fusion_node"}
    assert sample.parameters["pairing.camera_offset"] == 0.01
    with BagReader(sample.bag) as bag:
        assert bag.topics["/scan"].count == sample.received["/scan"]
