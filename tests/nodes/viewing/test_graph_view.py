"""A running graph into a feed, while somebody looks."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_messages import scan_msg
from sensor_msgs.msg import LaserScan
from view_messages import STATUSES

from conegrad_nodes.view_server.feed import ViewFeed
from conegrad_nodes.viewing.graph_view import GraphView

pytestmark = pytest.mark.ros


@pytest.fixture
def feed():
    return ViewFeed("graph")


@pytest.fixture
def driver(context):
    node = Node("driver", context=context, namespace="car", use_global_arguments=False)
    yield node
    node.destroy_node()


def test_sensors_are_subscribed_to_while_somebody_looks(driver, feed, domain):
    publisher = driver.create_publisher(LaserScan, "scan", 1)
    with GraphView(feed, namespace="car", domain=domain) as view:

        def publish_until(is_done):
            def is_over():
                publisher.publish(scan_msg())
                return is_done()

            view.listen(is_over)

        publish_until(lambda: "1 other nodes" in feed.activity)
        assert publisher.get_subscription_count() == 0
        assert "0 topics are shown" in feed.activity

        def look_until_it_comes():
            feed.look()
            return feed.newest("scan") is not None

        publish_until(look_until_it_comes)
        assert feed.newest("scan").topic == "/car/scan"
        feed._last_look = float("-inf")
        publish_until(lambda: publisher.get_subscription_count() == 0)
        assert "listening in /car" in feed.activity


def test_a_topic_of_another_name_is_given_by_its_role(driver, feed, domain):
    publisher = driver.create_publisher(LaserScan, "/front/laser", 1)
    with GraphView(feed, topics={"scan": "/front/laser", "image": "none"}, domain=domain) as view:
        assert feed.expected == ("scan", "cones")

        def it_comes():
            feed.look()
            publisher.publish(scan_msg())
            return feed.newest("scan") is not None

        view.listen(it_comes)
        assert feed.newest("scan").topic == "/front/laser"


def test_diagnostics_are_taken_all_the_time(driver, feed, domain):
    publisher = driver.create_publisher(DiagnosticArray, "/diagnostics", 1)

    def it_comes():
        publisher.publish(DiagnosticArray())
        return feed.newest("diagnostics") is not None

    with GraphView(feed, domain=domain) as view:
        view.listen(it_comes)
        assert feed.newest("diagnostics").msgtype == STATUSES
        assert not feed.is_watched
