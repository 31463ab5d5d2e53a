"""What is found wrong with who is on a graph, by samples of graphs with one fault each."""

import dataclasses

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.graph_checks import examine_graph
from conegrad_nodes.doctor.graph_sample import Endpoint, GraphSample

SCAN, CONES = "sensor_msgs/msg/LaserScan", "conegrad_msgs/msg/ConeArray"


def profile(reliability=ReliabilityPolicy.RELIABLE):
    return QoSProfile(depth=5, reliability=reliability, durability=DurabilityPolicy.VOLATILE)


def endpoint(node, msgtype, **options):
    return Endpoint(node, msgtype, profile(**options))


def healthy(tmp_path, **changes):
    sample = GraphSample(
        bag=tmp_path,
        seconds=5.0,
        nodes=["/driver", "/lidar_node", "/fusion_node"],
        publishers={
            "/scan": [endpoint("/driver", SCAN)],
            "/cones": [endpoint("/fusion_node", CONES)],
        },
        subscriptions={"/scan": [endpoint("/lidar_node", SCAN)], "/cones": []},
        received={"/scan": 50, "/cones": 50},
        states={"/lidar_node": "active", "/fusion_node": "active"},
    )
    return dataclasses.replace(sample, **changes)


def troubles(sample):
    return [finding for finding in examine_graph(sample) if finding.level > Level.OK]


def test_a_healthy_graph_has_no_fault_and_says_what_is_in_order(tmp_path):
    found = list(examine_graph(healthy(tmp_path)))
    assert [finding.text for finding in found] == [
        "active: /fusion_node, /lidar_node",
        "/cones comes at 10.0 Hz",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"nodes": ["/lidar_node", "/fusion_node", "/fusion_node"]},
            "2 nodes are called /fusion_node",
        ),
        (
            {"states": {"/lidar_node": "inactive", "/fusion_node": "active"}},
            "/lidar_node is inactive, expected active",
        ),
        (
            {"states": {"/fusion_node": "active"}},
            "/lidar_node sent no heartbeat on /diagnostics in 5 s",
        ),
        (
            {"states": {}, "nodes": ["/driver"]},
            "no node of ConeGrad is on this graph; it has /driver",
        ),
        ({"received": {"/scan": 0, "/cones": 50}}, "/scan is silent: nothing of /driver in 5 s"),
        ({"received": {"/scan": 50, "/cones": 0}}, "/cones: no cones in 5 s"),
        ({"unreadable": {"/tf_static": "tf2_msgs/msg/TFMessage"}}, "tf2_msgs/msg/TFMessage is not"),
    ],
    ids=["twin", "inactive", "no heartbeat", "nobody", "silent", "no cones", "unreadable"],
)
def test_each_fault_is_named_alone_with_a_remedy(tmp_path, changes, text):
    (finding,) = troubles(healthy(tmp_path, **changes))
    assert text in finding.text
    assert finding.remedy


def test_two_publishers_of_a_sensor_are_named(tmp_path):
    sample = healthy(tmp_path)
    sample.publishers["/scan"].append(endpoint("/player", SCAN))
    (finding,) = troubles(sample)
    assert finding.text == "/scan has 2 publishers: /driver, /player"


def test_two_types_on_a_topic_are_named(tmp_path):
    sample = healthy(tmp_path)
    sample.publishers["/scan"] = [endpoint("/driver", "sensor_msgs/msg/MultiEchoLaserScan")]
    (finding,) = troubles(sample)
    assert "/scan has the types sensor_msgs/msg/LaserScan, sensor_msgs/msg/Multi" in finding.text


def test_profiles_that_do_not_meet_are_named_with_both_nodes(tmp_path):
    sample = healthy(tmp_path)
    offered = endpoint("/driver", SCAN, reliability=ReliabilityPolicy.BEST_EFFORT)
    sample.publishers["/scan"] = [offered]
    (finding,) = troubles(sample)
    assert finding.text.startswith("/scan: /lidar_node gets nothing of /driver: ")
    assert "reliab" in finding.text.lower()


def test_what_the_nodes_report_comes_with_a_remedy(tmp_path):
    texts = {
        "lidar_node: input /scan": "/scan stopped 3.5 s ago",
        "fusion_node: pairing": "something that nobody foresaw",
    }
    statuses = {
        name: DiagnosticStatus(level=b"\x02", name=name, message=text)
        for name, text in texts.items()
    }
    statuses["fine"] = DiagnosticStatus(level=b"\x00", name="fine", message="receiving")
    pairing, scan = troubles(healthy(tmp_path, statuses=statuses))
    assert scan.remedy == "look at the driver: it ended or hangs"
    assert pairing.remedy == "docs/troubleshooting.md says more"
