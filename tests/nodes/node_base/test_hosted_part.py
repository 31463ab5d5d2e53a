"""Stages of a pipeline file as one node runs them."""

import pytest
import torch

from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.pipeline.errors import PipelineError
from conegrad_nodes.node_base.hosted_part import HostedPart

SCAN = Scan(torch.full((181,), 5.0), torch.linspace(-1.5, 1.5, 181))


def test_gives_what_the_module_of_the_stage_gives(lidar_weights):
    config = SegmenterConfig(weights=str(lidar_weights), engine="torch")
    hosted = HostedPart("camera_lidar", ["segmenter"])
    hosted.load({"segmenter": config})
    with torch.no_grad():
        found = hosted({"scan": SCAN})["segmentation"]
        (expected,) = load_segmenter(config)([SCAN])
    torch.testing.assert_close(found.logits, expected.logits, rtol=0, atol=0)


def test_runs_between_load_and_release_only(lidar_weights):
    hosted = HostedPart("camera_lidar", ["segmenter"])
    for _ in range(2):
        assert not hosted.is_loaded
        with pytest.raises(RuntimeError, match="segmenter runs before it is loaded"):
            hosted({"scan": SCAN})
        hosted.load({"segmenter": SegmenterConfig(weights=str(lidar_weights), engine="torch")})
        assert hosted.stage.config.engine == "torch"
        hosted.release()


def test_a_trainable_stage_has_gradients(lidar_weights):
    hosted = HostedPart("camera_lidar", ["segmenter"])
    config = SegmenterConfig(weights=str(lidar_weights), engine="onnx")
    hosted.load({"segmenter": config}, trainable=True)
    hosted({"scan": SCAN})["segmentation"].logits.sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in hosted.stage.parameters())


def test_what_another_stage_writes_is_an_input():
    assert dict(HostedPart("camera_lidar", ["fuser"]).part.inputs) == {
        "detections": "Detections",
        "segmentation": "SegmentedScan",
    }


def test_an_unknown_stage_is_named():
    with pytest.raises(PipelineError, match="no stage 'radar', expected some of detector"):
        HostedPart("camera_lidar", ["radar"])


def test_a_node_without_a_stage_is_not_to_be_started():
    with pytest.raises(PipelineError, match=r"no stage for the lidar_node, expected not to start"):
        HostedPart("camera_lidar", (), "lidar_node")


def test_only_one_stage_has_a_name():
    with pytest.raises(PipelineError, match="detector, segmenter run in one node, expected one"):
        HostedPart("camera_lidar", ["detector", "segmenter"]).name  # noqa: B018
