"""The stages of the car: one batched forward, supervised losses, weights."""

import math

import numpy as np
import pytest
import torch

from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.detector import DetectorConfig
from conegrad_core.camera.engines.torch_engine import TorchEngine
from conegrad_core.camera.head import build_network
from conegrad_core.camera.image import TrueBoxes
from conegrad_core.engines.errors import EngineError
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.lidar.scan import Scan
from conegrad_core.lidar.scan_network import ARCHITECTURE
from conegrad_core.losses import beam_loss
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.pattern import integration_pattern, responsible_networks
from conegrad_core.vehicle import load_vehicle

SIZE = {"input_width": 160, "input_height": 96}


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "cones.safetensors"
    save_network(
        build_network("yolov5n").eval(),
        path,
        architecture="yolov5n",
        input_size=(160, 96),
        half=False,
    )
    return str(path)


def load(weights: str, engine: str = "torch", *, trainable: bool = False) -> Pipeline:
    detector = {"weights": weights, "engine": engine, **SIZE}
    settings = {"detector": detector, "segmenter": {"engine": engine}}
    return load_pipeline("camera_lidar", settings, trainable=trainable)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return load_vehicle("formula_student").calibration()


@pytest.fixture(scope="module")
def samples() -> dict[str, list[object]]:
    """Two samples of one LiDAR and one of another one, with images of two sizes."""
    rng = np.random.default_rng(0)
    sizes = [(96, 160), (120, 200), (96, 160)]
    images = [rng.integers(0, 255, (*size, 3), dtype=np.uint8) for size in sizes]
    scans = []
    for beams, seed in ((541, 1), (541, 2), (271, 3)):
        ranges = torch.from_numpy(np.random.default_rng(seed).uniform(0.5, 30.0, beams)).float()
        ranges[::7] = torch.nan
        ranges[100:106] = 4.0
        scans.append(Scan(ranges, torch.linspace(-2.0, 2.0, beams)))
    return {"image": images, "scan": scans}


@pytest.mark.parametrize("engine", ["torch", "onnx", "openvino"])
@pytest.mark.parametrize("port", ["detections", "segmentation", "cones"])
def test_a_batch_gives_each_sample_what_it_gets_alone(
    weights, samples, calibration, engine: str, port: str
):
    pipeline = load(weights, engine)
    with torch.inference_mode():
        together = pipeline(samples, [FrameContext(calibration)] * 3, [port])[port]
        for place, found in enumerate(together):
            alone = {name: [values[place]] for name, values in samples.items()}
            (expected,) = pipeline(alone, [FrameContext(calibration)], [port])[port]
            tolerance = {"atol": 1e-3, "rtol": 1e-3} if engine == "torch" else {}
            torch.testing.assert_close(found, expected, equal_nan=True, **tolerance)


def test_the_car_is_joining_parallel_and_colour_is_the_detectors(weights):
    pipeline = load(weights)
    assert integration_pattern(pipeline) == "joining parallel"
    assert pipeline.networks == ("detector", "segmenter")
    assert pipeline.learned_stages == ("detector", "segmenter", "fuser")
    assert responsible_networks(pipeline, "colour") == ("detector",)
    assert responsible_networks(pipeline, "position") == ("segmenter",)
    assert responsible_networks(pipeline, "existence") == ("detector", "segmenter")


def test_a_trainable_car_runs_on_torch_whatever_the_settings_say(weights):
    pipeline = load(weights, "onnx", trainable=True)
    assert isinstance(pipeline.stage("detector").module.engine, TorchEngine)
    assert pipeline.stage("segmenter").module.engine is None
    assert not any(module.training for module in pipeline.modules())


def test_weights_of_all_stages_are_saved_and_loaded_again(weights, samples, calibration, tmp_path):
    pipeline = load(weights, trainable=True)
    with torch.no_grad():
        for weight in pipeline.parameters():
            weight.mul_(1.01)
    paths = pipeline.save(tmp_path)
    assert {name: path.name for name, path in paths.items()} == {
        "detector": "yolov5n_cones.safetensors",
        "segmenter": "scan_cnn.safetensors",
        "fuser": "fusion.safetensors",
    }
    settings = {name: {"weights": str(path)} for name, path in paths.items()}
    settings["detector"] |= SIZE
    again = load_pipeline("camera_lidar", settings, trainable=True)
    assert again.stage("detector").architecture == "yolov5n"
    assert again.stage("segmenter").architecture == ARCHITECTURE
    for name, value in pipeline.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)


def test_an_exported_detector_cannot_be_saved_or_trained(weights, samples, tmp_path):
    stage = load(weights, "onnx").stage("detector")
    with pytest.raises(PipelineError, match=r"runs on OnnxEngine, .* expected engine 'torch'"):
        stage.save(tmp_path / "cones.safetensors")
    with pytest.raises(EngineError, match="OnnxEngine has no gradient"):
        stage.supervised_loss({"image": samples["image"]}, {"boxes": []}, [])


def test_the_supervised_loss_of_the_detector_learns_from_boxes(weights, samples):
    stage = load(weights, trainable=True).stage("detector")
    boxes = TrueBoxes(torch.tensor([[40.0, 30.0, 60.0, 70.0]]), torch.tensor([1]))
    images = samples["image"][:1]
    losses = stage.supervised_loss({"image": images}, {"boxes": [boxes]}, [FrameContext()])
    assert set(losses) == {"box", "class", "distribution"}
    sum(losses.values()).backward()
    assert next(stage.parameters()).grad.abs().sum() > 0
    assert stage.label_values({"boxes": boxes}, {"image": images[0]}) == 5


def test_the_supervised_loss_of_the_segmenter_is_the_mean_over_scans(weights, samples):
    stage = load(weights, trainable=True).stage("segmenter")
    labels = [scan.ranges == 4.0 for scan in samples["scan"]]
    found = stage.supervised_loss({"scan": samples["scan"]}, {"beams": labels}, [])
    singles = [
        beam_loss(segmented.logits, beams, segmented.ranges)
        for scan, beams in zip(samples["scan"], labels, strict=True)
        for segmented in stage.module([scan])
    ]
    torch.testing.assert_close(found["beams"], torch.stack(singles).mean())
    returns = int(samples["scan"][0].ranges.isfinite().sum())
    assert stage.label_values({"beams": labels[0]}, {"scan": samples["scan"][0]}) == returns


def test_the_recorded_fusion_equals_the_plain_one_and_keeps_the_gradient(
    weights, samples, calibration
):
    pipeline, contexts = load(weights), [FrameContext(calibration)] * 3
    with torch.inference_mode():
        expected = pipeline(samples, contexts)["cones"]
        pipeline.accelerate()
        found = pipeline(samples, contexts)["cones"]
    for one, other in zip(found, expected, strict=True):
        assert all(torch.equal(*fields) for fields in zip(one[:-1], other[:-1], strict=True))
    assert pipeline(samples, contexts)["cones"][0].positions.requires_grad


def test_the_graph_is_cut_between_networks_and_fusion(weights, samples, calibration):
    """As over topics: the fusion runs on leaves, whose gradients go back to the networks."""
    pipeline, contexts = load(weights, trainable=True), [FrameContext(calibration)] * 3
    ports = ("detections", "segmentation")
    sent = pipeline(samples, contexts, ports)
    leaves = {
        port: [
            pipeline.ports[port].with_tensors(
                value, [t.detach().requires_grad_() for t in pipeline.ports[port].tensors(value)]
            )
            for value in sent[port]
        ]
        for port in ports
    }
    cones = pipeline(leaves, contexts)["cones"]
    sum(c.existence_logits.sum() + c.positions.sum() for c in cones).backward()
    for port in ports:
        for value, leaf in zip(sent[port], leaves[port], strict=True):
            tensors = pipeline.ports[port].tensors(value)
            gradients = [t.grad for t in pipeline.ports[port].tensors(leaf)]
            torch.autograd.backward(tensors, gradients, retain_graph=True)
    over_topics = [w.grad.clone() for w in pipeline.parameters() if w.grad is not None]
    pipeline.zero_grad()
    cones = pipeline(samples, contexts)["cones"]
    sum(c.existence_logits.sum() + c.positions.sum() for c in cones).backward()
    direct = [w.grad for w in pipeline.parameters() if w.grad is not None]
    assert len(direct) == len(over_topics) > 100
    for one, other in zip(over_topics, direct, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3 * float(other.abs().max()))


def test_a_lost_camera_leaves_the_cones_of_the_scan(weights, samples, calibration):
    pipeline = load(weights)
    values = {"image": [samples["image"][0], None], "scan": samples["scan"][:2]}
    with torch.inference_mode():
        both, lidar_alone = pipeline(values, [FrameContext(calibration)] * 2)["cones"]
    assert (both.source != 2).any()
    assert len(lidar_alone.source) > 0
    assert (lidar_alone.source == 2).all()


def test_true_detections_replace_the_detector(weights, samples, calibration):
    pipeline = load(weights)
    truth = pipeline.ports["detections"]
    box = torch.tensor([[600.0, 300.0, 640.0, 360.0]])
    logits = torch.tensor([[9.0, -9.0, -9.0, -9.0]])
    replaced = truth.container(box, logits)
    with torch.inference_mode():
        values = {"detections": [replaced], "scan": samples["scan"][:1]}
        (cones,) = pipeline(values, [FrameContext(calibration)])["cones"]
    assert (cones.source == 1).sum() == 1
    assert cones.colours[cones.source == 1].argmax() == 0


def test_settings_of_another_class_are_refused(weights):
    with pytest.raises(PipelineError, match="its settings are DetectorConfig, expected Segmenter"):
        load_pipeline("camera_lidar", {"segmenter": DetectorConfig()})
    assert math.isclose(load(weights).stage("segmenter").config.max_range, 20.0)
