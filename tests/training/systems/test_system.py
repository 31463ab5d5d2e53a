from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from car_stages import STAGES, saved_in, weights_of

from conegrad_core.camera.detector import DetectorConfig, load_detector
from conegrad_core.camera.stage import DetectorStage
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.stage import FusionStage
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.lidar.stage import SegmenterStage
from conegrad_core.losses import EndLoss
from conegrad_core.perception import Perception
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_data.bags.reader import BagReader
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_nodes.playback.direct import direct_frames
from conegrad_nodes.playback.perceive import PerceiveOptions
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig


def live_perception(config: SystemConfig) -> Perception:
    """The modules as the nodes load them."""
    weights = weights_of(config)
    size = {"input_width": config.input_width, "input_height": config.input_height}
    detector = load_detector(DetectorConfig(weights=weights["detector"], engine="torch", **size))
    segmenter = load_segmenter(SegmenterConfig(weights=weights["segmenter"]))
    stages = {
        "detector": DetectorStage(detector),
        "segmenter": SegmenterStage(segmenter),
        "fuser": FusionStage(Fuser(FuserConfig(weights=weights["fuser"]))),
    }
    return Perception(Pipeline(load_specification("camera_lidar"), stages))


def test_training_and_the_car_find_the_same_cones(
    system: TrainableSystem, system_config: SystemConfig, replay: BagReplay
):
    live, samples = live_perception(system_config), [replay[2], replay[5]]
    for sample, cones in zip(samples, system(samples), strict=True):
        (calibration, motion), inputs = sample.context, sample.inputs
        expected = live.candidates(inputs["image"], inputs["scan"], calibration, motion)
        torch.testing.assert_close(cones, expected, atol=2e-4, rtol=1e-3)


def test_training_and_the_live_graph_find_the_same_cones_in_a_bag(
    system: TrainableSystem,
    system_config: SystemConfig,
    replay: BagReplay,
    small_bag: SimulatedBag,
):
    lowest = 0.02  # untrained networks are sure of nothing
    parameters = {
        "detector.weights": weights_of(system_config)["detector"],
        "detector.engine": "torch",
        "detector.input_width": system_config.input_width,
        "detector.input_height": system_config.input_height,
        "segmenter.weights": weights_of(system_config)["segmenter"],
        "fuser.weights": weights_of(system_config)["fuser"],
        "min_existence": lowest,
    }
    with BagReader(small_bag.path) as bag:
        live = list(direct_frames(bag, PerceiveOptions(parameters=parameters)))
    cones_of = {
        frame.pair.stamp_ns: frame.cones
        for frame in live
        if frame.pair.detections and frame.pair.segmentation
    }
    assert len(cones_of) == len(replay)
    compared = 0
    for place in range(len(replay)):
        sample = replay[place]
        with torch.no_grad():
            found = select_cones(system([sample])[0], lowest, 0.3)
        expected = cones_of[sample.key.stamp_ns]
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
        compared += len(expected.positions)
    assert compared > 20


def test_scans_of_different_sensors_share_no_forward_and_get_the_same_logits(
    system: TrainableSystem, replay: BagReplay
):
    sample = replay[1]
    scan = sample.inputs["scan"]
    coarse = scan._replace(ranges=scan.ranges[::2], angles=scan.angles[::2])
    other = sample._replace(inputs={**sample.inputs, "scan": coarse})
    outputs = system.outputs([sample, other, sample])["segmentation"]
    for one, given in zip(outputs, (sample, other, sample), strict=True):
        expected = system.stages["segmenter"].module([given.inputs["scan"]])[0]
        torch.testing.assert_close(one, expected, equal_nan=True, atol=1e-5, rtol=1e-5)


def test_the_end_loss_reaches_every_part(system: TrainableSystem, replay: BagReplay):
    system.train_only(STAGES)
    sample = replay[3]
    terms = EndLoss()(system([sample])[0], sample.truth)
    torch.stack(list(terms.values())).sum().backward()
    for stage, module in system.stages.items():
        gradients = [w.grad for w in module.parameters() if w.grad is not None]
        assert sum(float(g.abs().sum()) for g in gradients) > 0, stage


def test_only_chosen_parts_get_gradients(system: TrainableSystem, replay: BagReplay):
    system.train_only(["segmenter"])
    sample = replay[3]
    terms = EndLoss()(system([sample])[0], sample.truth)
    torch.stack(list(terms.values())).sum().backward()
    for stage, module in system.stages.items():
        has_gradient = any(weight.grad is not None for weight in module.parameters())
        assert has_gradient == (stage == "segmenter")


def test_frozen_parts_are_in_evaluation_mode_even_when_statistics_adapt(system: TrainableSystem):
    system.train_only(["detector"], adapt_statistics=True)
    assert system.stages["detector"].training
    assert not any(module.training for module in system.stages["segmenter"].modules())


def test_a_network_that_waits_says_what_it_says_when_it_learns(
    system: TrainableSystem, replay: BagReplay
):
    samples = [replay[3], replay[5]]
    with torch.no_grad():
        system.train_only(["detector"], adapt_statistics=True, waits=["segmenter"])
        waiting = system.outputs(samples)["segmentation"][0].logits
        system.train_only(["segmenter"], adapt_statistics=True)
        learning = system.outputs(samples)["segmentation"][0].logits
        system.train_only(["detector"], adapt_statistics=True)
        frozen = system.outputs(samples)["segmentation"][0].logits
    assert torch.equal(waiting, learning)
    assert not torch.equal(frozen, learning)


def test_refuses_a_stage_that_does_not_exist(system: TrainableSystem):
    with pytest.raises(ValueError, match="stages has 'radar', expected some of"):
        system.train_only(["detector", "radar"])


def test_saved_weights_give_the_same_cones(
    new_system: Callable[[], TrainableSystem],
    system_config: SystemConfig,
    replay: BagReplay,
    tmp_path: Path,
):
    system = new_system()
    with torch.no_grad():
        for weight in system.parameters():
            weight.mul_(1.01)
    system.save(tmp_path)
    again = load_system(saved_in(tmp_path, system_config))
    sample = replay[0]
    torch.testing.assert_close(again([sample])[0], system([sample])[0], atol=1e-5, rtol=1e-5)
