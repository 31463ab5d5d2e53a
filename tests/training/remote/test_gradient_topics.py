"""Training over topics: the nodes end with the weights that training in one process gives."""

import math
import time
from pathlib import Path

import pytest
import torch

pytest.importorskip("rclpy")
pytest.importorskip("conegrad_msgs")

from car_stages import FILES, saved_in, weights_of
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.scan import Scan
from conegrad_core.losses import EndLoss
from conegrad_data.decode import scan_from_msg
from conegrad_data.errors import TrainingError
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_training.data.augmentation import AugmentationConfig
from conegrad_training.data.sample_stream import SampleBatches, stream
from conegrad_training.engine.loop import train
from conegrad_training.engine.optimizers import OptimizerConfig, make_optimizer
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.remote.gradient_link import GradientLink
from conegrad_training.remote.gradient_messages import scan_to_msg
from conegrad_training.remote.topic_training import train_over_topics
from conegrad_training.remote.training_camera_node import TrainingCameraNode
from conegrad_training.remote.training_lidar_node import TrainingLidarNode
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig

pytestmark = pytest.mark.ros

STEPS = 20
DEADLINE = 120.0  # [s], generous: the machine may be busy


class Graph:
    """Both nodes in training mode, and the node of the trainer."""

    def __init__(self, context, system: SystemConfig, output: Path):
        self.executor = EventsExecutor(context=context)
        self.trainer = Node("trainer", context=context)
        camera = {
            "detector.weights": weights_of(system)["detector"],
            "detector.input_width": system.input_width,
            "detector.input_height": system.input_height,
        }
        shared = {"reliability": "reliable", "depth": 5, "training.output": str(output)}
        makers = (
            (TrainingCameraNode, camera),
            (TrainingLidarNode, {"segmenter.weights": weights_of(system)["segmenter"]}),
        )
        self.nodes = [
            maker(
                context=context,
                parameter_overrides=[
                    Parameter(name, value=value) for name, value in {**shared, **own}.items()
                ],
            )
            for maker, own in makers
        ]
        for node in (self.trainer, *self.nodes):
            self.executor.add_node(node)

    def start(self):
        for node in self.nodes:
            node.start()

    def spin(self, seconds: float):
        self.executor.spin_once(seconds)

    def save(self, node: str):
        client = self.trainer.create_client(Trigger, f"{node}/save_weights")
        deadline = time.monotonic() + DEADLINE
        while not client.service_is_ready():
            assert time.monotonic() < deadline
            self.spin(0.02)
        future = client.call_async(Trigger.Request())
        while not future.done():
            assert time.monotonic() < deadline
            self.spin(0.02)
        assert future.result().success, future.result().message

    def close(self):
        for node in (self.trainer, *self.nodes):
            self.executor.remove_node(node)
            node.destroy_node()
        self.executor.shutdown()


@pytest.fixture
def graph(context, system_config: SystemConfig, tmp_path: Path):
    graph = Graph(context, system_config, tmp_path)
    yield graph
    graph.close()


def batches(replay: BagReplay, steps: int):
    made = SampleBatches(replay, seed=3, batch=1, steps=steps, augmentation=AugmentationConfig())
    return stream(made, 0, 0)


def largest_difference(one: TrainableSystem, other: TrainableSystem) -> float:
    state, others = one.state_dict(), other.state_dict()
    assert state.keys() == others.keys()
    return max(float((value - others[name]).abs().max()) for name, value in state.items())


def test_twenty_steps_over_topics_give_the_weights_of_one_process(
    graph, system_config: SystemConfig, replay: BagReplay, tmp_path: Path
):
    criterion, settings = EndLoss(), OptimizerConfig()
    inside = load_system(system_config)
    reports = list(
        train(
            inside,
            batches(replay, STEPS),
            make_pattern(PatternConfig("simultaneous"), inside),
            criterion,
            make_optimizer(inside, settings),
            cost=TrainingCost(),
            max_grad_norm=settings.max_grad_norm,
        )
    )
    graph.start()
    apart, cost = load_system(system_config), TrainingCost()
    over_topics = list(
        train_over_topics(
            apart,
            GradientLink(graph.trainer, apart, graph.spin, timeout=DEADLINE),
            batches(replay, STEPS),
            make_pattern(PatternConfig("simultaneous"), apart),
            criterion,
            make_optimizer(apart, settings),
            cost=cost,
            max_grad_norm=settings.max_grad_norm,
        )
    )
    assert cost.steps == len(reports) == STEPS
    for report, other in zip(reports, over_topics, strict=True):
        assert other.losses == pytest.approx(report.losses, rel=1e-5)
    for node in ("camera_node", "lidar_node"):
        graph.save(node)
    apart.stages["fuser"].save(tmp_path / FILES["fuser"])
    learned = load_system(saved_in(tmp_path, system_config))
    start = load_system(system_config)
    assert largest_difference(start, learned) > 1e-3
    assert largest_difference(inside, learned) < 1e-6


def test_a_frozen_network_gets_no_gradient_and_stays_bit_identical(
    graph, system_config: SystemConfig, replay: BagReplay, tmp_path: Path
):
    graph.start()
    apart = load_system(system_config)
    link = GradientLink(graph.trainer, apart, graph.spin, timeout=DEADLINE)
    pattern = make_pattern(PatternConfig("partial", ("segmenter",), learn_fusion=False), apart)
    for _ in train_over_topics(
        apart, link, batches(replay, 2), pattern, EndLoss(),
        make_optimizer(apart, OptimizerConfig()), cost=TrainingCost(), max_grad_norm=5.0,
    ):  # fmt: skip
        pass
    for node in ("camera_node", "lidar_node"):
        graph.save(node)
    learned = load_system(saved_in(tmp_path, system_config, ("detector", "segmenter")))
    start = load_system(system_config)
    for part, is_same in (("detector", True), ("segmenter", False), ("fuser", True)):
        before, after = start.stages[part].state_dict(), learned.stages[part].state_dict()
        assert all(torch.equal(before[k], after[k]) for k in before) == is_same, part


def test_a_node_that_does_not_answer_is_named(graph, system: TrainableSystem, replay: BagReplay):
    link = GradientLink(graph.trainer, system, graph.spin, retry=0.05, timeout=0.2)
    with pytest.raises(TrainingError, match=r"no answer on detections and segmentation within 0"):
        link.outputs([replay[0]])


def test_a_scan_of_a_cloud_keeps_its_turns_and_its_profile():
    beams = 3 * 90
    angles = -math.pi + 2 * math.pi / 90 * torch.arange(beams)
    scan = Scan(torch.full((beams,), 4.0), angles, profile=torch.rand(PROFILE_CHANNELS, beams))
    back = scan_from_msg(scan_to_msg(scan, Header()))
    assert torch.equal(back.profile, scan.profile)
    torch.testing.assert_close(back.angles, scan.angles, rtol=0, atol=2e-6)


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_scan_keeps_ranges_and_outer_angles_bit_for_bit(replay: BagReplay, is_mirrored: bool):
    scan = replay[0].inputs["scan"]
    if is_mirrored:
        scan = scan._replace(ranges=scan.ranges.flip(0), angles=-scan.angles.flip(0))
    back = scan_from_msg(scan_to_msg(scan, Header()))
    torch.testing.assert_close(back.ranges, scan.ranges, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(back.angles[[0, -1]], scan.angles[[0, -1]])
    torch.testing.assert_close(back.angles, scan.angles, rtol=0, atol=5e-7)
