"""The policies of SROS2 allow what the nodes of the car do, and to others not what forges it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.cone_converter import ConeConverter
from conegrad_nodes.encode.other_stacks import FORMATS, ConeFormat
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


def used(node):
    """Rights that a node makes use of, by its own account: the graph may miss some for long."""
    return {
        *(Right("publish", publisher.topic_name) for publisher in node.publishers),
        *(Right("subscribe", subscription.topic_name) for subscription in node.subscriptions),
        *(Right("reply", node.resolve_service_name(s.srv_name)) for s in node.services),
        *(Right("request", node.resolve_service_name(c.srv_name)) for c in node.clients),
    }


def test_each_process_may_do_what_its_nodes_do(
    graph, camera_parameters, lidar_parameters, frames_file, monkeypatch
):
    same = ConeFormat("conegrad_msgs", "ConeArray", lambda msg, _: msg, "")  # of no other stack
    monkeypatch.setitem(FORMATS, "fs", same)
    nodes = {
        "camera_node": graph.start(CameraNode, **camera_parameters),
        "lidar_node": graph.start(LidarNode, **lidar_parameters),
        "fusion_node": graph.start(
            FusionNode, calibration__extrinsics="file", calibration__file=frames_file
        ),
        "lifecycle_manager": graph.start(LifecycleManager),
        "cone_converter": graph.start(ConeConverter, format="fs"),
    }
    results = {"camera_node": "/detections", "lidar_node": "/segmentation", "fusion_node": "/cones"}
    results["cone_converter"] = "/cones_fs"
    for name, node in nodes.items():
        result = Right("publish", results.get(name, "/diagnostics"))
        graph.until(lambda node=node, r=result: r in used(node), f"{result} of {name}")
        assert len(used(node)) > 8
        assert used(node) - RIGHTS[f"/conegrad/{name}"] == set()
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
