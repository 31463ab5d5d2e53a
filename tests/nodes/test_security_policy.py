"""The policies of SROS2 allow what the nodes of the car do, and to others not what forges it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from std_msgs.msg import String

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.lifecycle_manager import LifecycleManager

pytestmark = pytest.mark.ros

FOLDER = Path(__file__).parents[2] / "config" / "security"
INCLUDE = "{http://www.w3.org/2001/XInclude}include"


class Right(NamedTuple):
    """What a process may do with a topic, service or action."""

    verb: str
    name: str


def full_name(profile, name):
    namespace = profile.get("ns").rstrip("/")
    if name.startswith("~"):
        return f"{namespace}/{profile.get('node')}{name[1:]}"
    return name if name.startswith("/") else f"{namespace}/{name}"


def rules(element):
    """Elements of a profile, those of the files that it includes in their place."""
    for child in element:
        if child.tag == INCLUDE:
            yield from ElementTree.parse(FOLDER / child.get("href")).getroot()
        else:
            yield child


def rights():
    """Rights of each enclave."""
    found = {}
    for enclave in ElementTree.parse(FOLDER / "policy.xml").iter("enclave"):
        found[enclave.get("path")] = {
            Right(verb, full_name(profile, entry.text))
            for profile in enclave.iter("profile")
            for rule in rules(profile)
            for verb in rule.keys()  # noqa: SIM118, an element iterates over its children
            for entry in rule
        }
    return found


RIGHTS = rights()


def holders(verb, name):
    """Enclaves that have a right, whole processes of the perception counted as one."""
    return {path for path, allowed in RIGHTS.items() if Right(verb, name) in allowed}


def used(graph, name):
    """Rights that a node of a graph makes use of."""
    asked = {
        "publish": graph.peer.get_publisher_names_and_types_by_node,
        "subscribe": graph.peer.get_subscriber_names_and_types_by_node,
        "reply": graph.peer.get_service_names_and_types_by_node,
        "request": graph.peer.get_client_names_and_types_by_node,
    }
    return {Right(verb, topic) for verb, ask in asked.items() for topic, _ in ask(name, "/")}


def test_each_process_may_do_what_its_nodes_do(
    graph, camera_parameters, lidar_parameters, frames_file
):
    graph.start(CameraNode, **camera_parameters)
    graph.start(LidarNode, **lidar_parameters)
    graph.start(FusionNode, calibration__extrinsics="file", calibration__file=frames_file)
    graph.start(LifecycleManager)

    def tell_again():
        """Make the middleware announce the endpoints of this process anew: it may miss one."""
        graph.peer.destroy_publisher(graph.peer.create_publisher(String, "announced", 1))

    for name in ("camera_node", "lidar_node", "fusion_node", "lifecycle_manager"):
        graph.until(
            lambda name=name: len(used(graph, name)) > 10, f"the topics of {name}", again=tell_again
        )
        assert used(graph, name) - RIGHTS[f"/conegrad/{name}"] == set()
    for name in ("camera_node", "lidar_node", "fusion_node"):
        assert RIGHTS[f"/conegrad/{name}"] <= RIGHTS["/conegrad/perception"]


@pytest.mark.parametrize(
    ("verb", "name", "expected"),
    [
        ("publish", "/detections", {"/conegrad/perception", "/conegrad/camera_node"}),
        ("publish", "/segmentation", {"/conegrad/perception", "/conegrad/lidar_node"}),
        ("publish", "/cones", {"/conegrad/perception", "/conegrad/fusion_node"}),
        ("publish", "/training/detections/gradients", {"/conegrad/topic_trainer"}),
        ("request", "/camera_node/change_state", {"/conegrad/lifecycle_manager", "/operator"}),
        ("request", "/camera_node/set_parameters", {"/operator"}),
        ("call", "/train", {"/operator"}),
    ],
)
def test_what_could_forge_or_stop_the_perception_is_for_few(verb, name, expected):
    assert holders(verb, name) == expected


def test_nobody_may_publish_everything():
    assert [path for path in RIGHTS if Right("publish", "/*") in RIGHTS[path]] == []


def test_no_comment_stands_between_two_enclaves_which_the_tools_of_sros2_refuse():
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    enclaves = ElementTree.parse(FOLDER / "policy.xml", parser).getroot()[0]
    assert {child.tag for child in enclaves} == {"enclave"}
