"""Pipelines other than the car's through the live graph, with their stages composed and apart."""

import numpy as np
import pytest
import torch

from conegrad_core.colours.stage import ColourStage
from conegrad_core.keypoints.stage import KeypointStage
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.types import BagError
from conegrad_data.bags.writer import BagWriter
from conegrad_nodes.playback.direct_bag import perceive_directly
from conegrad_nodes.playback.graph_process import GraphError
from conegrad_nodes.playback.perceive import PerceiveOptions, check_bag, perceive_bag
from conegrad_nodes.playback.player import PlayConfig
from conegrad_nodes.playback.result_tracker import ResultCounts

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def weights(tmp_path_factory, camera_weights):
    """Parameters with random weights, always the same ones."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    given = {
        "detector.weights": camera_weights,
        "detector.engine": "torch",
        "detector.input_width": 160,
        "detector.input_height": 96,
        "min_existence": 0.01,
    }
    for name, stage_class in (("keypoints", KeypointStage), ("classifier", ColourStage)):
        path = folder / f"{name}.safetensors"
        stage_class(stage_class.config_class()).save(path)
        given |= {f"{name}.weights": str(path), f"{name}.engine": "torch"}
    return given


def of(weights, *stages):
    """The parameters of some stages, and those of the nodes."""
    return {
        name: value
        for name, value in weights.items()
        if "." not in name or name.partition(".")[0] in stages
    }


KEYPOINTS = ("detector", "keypoints")
FORK = (*KEYPOINTS, "classifier")


def cones_by_image(path):
    """Frame and rows (x, y, covariance, existence, colours) of the cones of each image stamp."""
    found = {}
    with BagReader(path) as bag:
        for _, _, msg in bag.messages(["/cones"]):
            rows = [
                [c.position.x, c.position.y, *c.covariance, c.existence, c.probability_blue]
                for c in msg.cones
            ]
            stamp = (msg.camera_stamp.sec, msg.camera_stamp.nanosec)
            found[stamp] = (msg.header.frame_id, np.array(rows).reshape(-1, 8))
    return found


def assert_same(one, other):
    assert list(one) == list(other)
    assert sum(len(rows) for _, rows in one.values()) > 0
    for stamp, (frame, rows) in one.items():
        assert frame == other[stamp][0] == "base_link"
        np.testing.assert_allclose(rows, other[stamp][1], rtol=1e-4, atol=1e-4)


def test_a_camera_pipeline_gives_the_same_cones_live_and_directly_beside_an_unused_scan(
    drive, weights, domain, tmp_path
):
    options = PerceiveOptions(
        pipeline="camera_keypoints", parameters=of(weights, *KEYPOINTS), domain=domain
    )
    result = perceive_bag(drive, tmp_path / "live", options)
    assert (result.images, result.scans) == (ResultCounts(6, 6, 0), ResultCounts(0, 0, 0))
    assert result.fusions == ResultCounts(sent=6, received=6, lost=0)
    assert result.reasons == []
    assert perceive_directly(drive, tmp_path / "direct", options) == 6
    live = cones_by_image(tmp_path / "live")
    assert_same(live, cones_by_image(tmp_path / "direct"))
    with BagReader(tmp_path / "live") as bag:
        counts = {name: topic.count for name, topic in bag.topics.items()}
        tensors = next(bag.messages(["/keypoints"]))[2]
    assert counts["/keypoints"] == counts["/detections"] == 6
    assert counts["/scan"] == 14  # copied, though nobody reads it
    assert "/crops" not in counts  # they stay in the camera node
    assert (tensors.kind, tensors.image_width) == ("Keypoints", 160)


def test_a_fork_gives_the_same_cones_with_its_stages_apart(drive, weights, domain, tmp_path):
    options = PerceiveOptions(
        pipeline="camera_fork", stages="apart", parameters=of(weights, *FORK), domain=domain
    )
    result = perceive_bag(drive, tmp_path / "apart", options)
    assert result.fusions == ResultCounts(sent=6, received=6, lost=0)
    perceive_directly(drive, tmp_path / "direct", options)
    assert_same(cones_by_image(tmp_path / "apart"), cones_by_image(tmp_path / "direct"))
    with BagReader(tmp_path / "apart") as bag:
        assert bag.topics["/keypoints"].count == bag.topics["/colours"].count == 6
        assert bag.topics["/keypoints_node/processing_latency"].count > 0


def test_weights_that_are_missing_are_given_as_the_reason(drive, weights, domain, tmp_path):
    parameters = {**of(weights, *KEYPOINTS), "keypoints.weights": "/nowhere/points.safetensors"}
    options = PerceiveOptions(pipeline="camera_keypoints", parameters=parameters, domain=domain)
    with pytest.raises(GraphError, match=r"camera_node: node: cannot configure.*points.safetens"):
        perceive_bag(drive, tmp_path / "out", options)


def test_a_calibration_that_nobody_gives_is_the_reason(record_drive, weights, domain, tmp_path):
    bag = record_drive("bare", has_frames=False, images=8, scans=0)
    options = PerceiveOptions(
        pipeline="camera_keypoints",
        play=PlayConfig(timeout=0.5),
        parameters=of(weights, *KEYPOINTS),
        domain=domain,
    )
    with pytest.raises(GraphError, match=r"fusion_node: calibration: no cones: no extrinsics"):
        perceive_bag(bag, tmp_path / "out", options)


@pytest.mark.usefixtures("no_graph")
@pytest.mark.parametrize("play", [perceive_bag, perceive_directly])
def test_intrinsics_of_another_image_size_are_refused(drive, weights, tmp_path, play):
    small = tmp_path / "small"
    intrinsics = np.array([[40.0, 0, 40], [0, 40, 24], [0, 0, 1]])
    info = messages.camera_info_msg(1, "camera_optical", (80, 48), intrinsics, (), "none")
    with BagReader(drive) as source, BagWriter(small, typestore=source.typestore) as bag:
        for raw in source.raw_messages():
            data = info if raw.topic == "/camera_info" else raw.data
            bag.write(raw.topic, raw.msgtype, raw.receive_ns, data)
    options = PerceiveOptions(pipeline="camera_keypoints", parameters=of(weights, *KEYPOINTS))
    with pytest.raises(BagError, match="160x96 px, but the intrinsics are for 80x48"):
        play(small, tmp_path / "out", options)


def test_a_camera_pipeline_refuses_a_bag_without_images(record_drive, weights, tmp_path):
    bag = record_drive("lidar_only", images=0, scans=4)
    options = PerceiveOptions(pipeline="camera_keypoints", parameters=of(weights, *KEYPOINTS))
    with BagReader(bag) as reader:
        found = check_bag(reader, options, tmp_path)
    assert "has no images, which" in " ".join(finding.text for finding in found.findings)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"parameters": {"keypoints.weigths": "x"}}, r"did you mean keypoints\.weights\?"),
        ({"parameters": {"segmenter.weights": "x"}}, "segmenter.weights is unknown"),
        ({"parameters": {"keypoints.engine": "steam"}}, "keypoints.engine is 'steam', expected"),
        ({"stages": "alone"}, "stages is 'alone', expected one of composed, apart"),
    ],
)
def test_what_no_node_of_the_pipeline_takes_is_refused(given, fault):
    with pytest.raises(ValueError, match=fault):
        PerceiveOptions(pipeline="camera_keypoints", **given)
