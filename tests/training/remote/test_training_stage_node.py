"""Any stage of a pipeline learns in a node of its own."""

import pytest
import torch

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from car_stages import weights_of
from rclpy.parameter import Parameter

from conegrad_data.decode import stamp_ns_from_msg
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_nodes.node_base.worker import Arrived
from conegrad_training.remote.gradient_messages import scan_to_msg
from conegrad_training.remote.training_stage_node import TrainingStageNode
from conegrad_training.systems.system_config import SystemConfig

pytestmark = pytest.mark.ros


def test_a_stage_node_keeps_the_graph_of_its_outputs(
    context, system_config: SystemConfig, replay: BagReplay
):
    from std_msgs.msg import Header

    from conegrad_nodes.stage_node import StageInputs

    overrides = {"stage": "segmenter", "segmenter.weights": weights_of(system_config)["segmenter"]}
    node = TrainingStageNode(
        context=context,
        parameter_overrides=[Parameter(name, value=value) for name, value in overrides.items()],
    )
    try:
        node.load()
        header = Header()
        header.stamp.sec = 7
        msg = scan_to_msg(replay[0].inputs["scan"], header)
        node._learning.begin(Arrived(StageInputs(header, {"scan": msg}), 0.0))
        found = node.run_stages({"scan": replay[0].inputs["scan"]})["segmentation"]
        assert found.logits.requires_grad
        exchange = node._learning._exchange
        assert len(exchange) == 1
        before = [weight.clone() for weight in node.hosted.stage.parameters()]
        gradient = torch.ones_like(found.logits)
        stamp = stamp_ns_from_msg(header.stamp)
        settings = {"step": 0, "parts": 1, "now": 0.0}
        assert exchange.apply(stamp, "segmentation", [gradient], **settings)
        after = node.hosted.stage.parameters()
        assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    finally:
        node.release()
        node.destroy_node()
