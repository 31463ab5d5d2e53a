"""Which nodes the program ``perception`` runs."""

import functools

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from conegrad_nodes.camera_node import CameraNode
from conegrad_nodes.fusion_node import FusionNode
from conegrad_nodes.lidar_node import LidarNode
from conegrad_nodes.perception import node_makers
from conegrad_nodes.stage_node import StageNode


def made(*words):
    """Classes of the nodes; of those of stages, the names of the stages."""
    arguments = ["perception", "--ros-args"]
    for word in words:
        arguments += ["-p", word]
    makers = node_makers(arguments)
    assert all(m.func is StageNode for m in makers if isinstance(m, functools.partial))
    return [m.args[0] if isinstance(m, functools.partial) else m for m in makers]


@pytest.mark.parametrize(
    ("words", "nodes"),
    [
        ([], [CameraNode, LidarNode, FusionNode]),
        (["pipeline:=camera_keypoints"], [CameraNode, FusionNode]),
        (["stages:=apart"], [FusionNode, "detector", "segmenter"]),
        (
            ["pipeline:=camera_fork", "stages:=apart"],
            [FusionNode, "detector", "cropper", "keypoints", "classifier"],
        ),
        (["nodes:=[fusion_node, camera_node]"], [FusionNode, CameraNode]),
    ],
)
def test_nodes_follow_from_the_pipeline(words, nodes):
    assert made(*words) == nodes


@pytest.mark.parametrize(
    ("words", "error", "fault"),
    [
        (["pipeline:=nowhere"], FileNotFoundError, "no pipeline preset 'nowhere': .*camera_fork"),
        (["stages:=alone"], ValueError, "stages is 'alone', expected one of composed, apart"),
        (["nodes:=[radar_node]"], ValueError, "has 'radar_node', expected some of camera_node"),
        (
            ["pipeline:=camera_fork", "camera_node:pipeline:=camera_lidar"],
            ValueError,
            "given pipeline camera_fork and camera_lidar, expected one for all",
        ),
    ],
    ids=["pipeline", "way", "node", "several"],
)
def test_what_cannot_run_is_told_in_one_line(words, error, fault):
    with pytest.raises(error, match=fault):
        made(*words)
