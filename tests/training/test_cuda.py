"""A GPU says what the CPU says, and trains; skipped without one."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from car_stages import FILES
from safetensors.torch import load_file

from conegrad_core.fusion.fuser import Fuser
from conegrad_core.fusion.selection import select_cones
from conegrad_core.fusion.traced import TracedFuser
from conegrad_core.perception import Perception
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.samples.sample import Sample
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.simulated_samples import SimulatedSamples
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.training_run import RunConfig, TrainingConfig, run_training
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system_config import SystemConfig

pytestmark = pytest.mark.gpu

NEAR_LOGIT = {"fp32": 0.02, "bf16": 1.0, "fp16": 0.2}


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions without TF32, so that fp32 is that of the CPU."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Of the race car, with cones in sight."""
    return SimulatedSamples(load_vehicle("formula_student"), first_seed=50, count=1)[0]


def module(stage: str, device: str, precision: str = "fp32") -> Any:
    """What is inside a stage, with the shipped weights on torch."""
    settings: dict[str, Any] = {"engine": "torch", "device": device}
    if stage == "detector":
        settings["precision"] = precision
    loaded: Any = load_pipeline(settings={stage: settings}).stage(stage)
    return loaded.module


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@torch.inference_mode()
def test_the_detector_finds_what_it_finds_on_the_cpu(sample: Sample, precision: str):
    expected = module("detector", "cpu")([sample.inputs["image"]])[0]
    found = module("detector", "cuda", precision)([sample.inputs["image"]])[0]
    assert found.boxes_xyxy.device.type == found.logits.device.type == "cpu"
    sure = expected.logits.amax(-1) > 0
    assert sure.sum() >= 2
    gaps = torch.cdist(expected.boxes_xyxy[sure], found.boxes_xyxy)
    nearest = gaps.argmin(-1)
    assert gaps.amin(-1).max() < 4.0
    torch.testing.assert_close(
        found.logits[nearest].amax(-1),
        expected.logits[sure].amax(-1),
        rtol=0.0,
        atol=NEAR_LOGIT[precision],
    )


@torch.inference_mode()
def test_the_segmenter_labels_as_it_does_on_the_cpu(sample: Sample):
    expected = module("segmenter", "cpu")([sample.inputs["scan"]])[0]
    found = module("segmenter", "cuda")([sample.inputs["scan"]])[0]
    torch.testing.assert_close(found.logits, expected.logits, rtol=0.0, atol=0.05)


@torch.inference_mode()
def test_the_recorded_fusion_takes_what_comes_from_the_gpu(sample: Sample):
    calibration, motion = sample.context.calibration, sample.context.motion
    image, scan = sample.inputs["image"], sample.inputs["scan"]
    expected = Perception.load()(image, scan, calibration, motion)
    segmented = module("segmenter", "cuda")([scan])[0]
    detections = module("detector", "cuda")([image])[0]
    found = select_cones(TracedFuser(Fuser())(segmented, detections, calibration, motion))
    assert len(expected.positions) >= 2
    assert len(found.positions) == len(expected.positions)
    gaps = torch.cdist(found.positions, expected.positions)
    assert gaps.amin(-1).max() < 0.02


@torch.inference_mode()
def test_a_recorded_forward_follows_the_image_and_the_weights(sample: Sample):
    detector = module("detector", "cuda")
    images = [sample.inputs["image"], sample.inputs["image"][:, ::-1].copy()]
    first = [detector([image])[0] for image in images]
    again = [detector([image])[0] for image in images]
    torch.testing.assert_close(again, first)
    assert not torch.equal(first[0].boxes_xyxy, first[1].boxes_xyxy)
    for weight in detector.parameters():
        weight.mul_(0.5)
    assert not torch.equal(detector([images[0]])[0].logits, first[0].logits)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("pattern", ["simultaneous", "individual", "alternating"])
def test_training_on_the_gpu_learns_what_the_cpu_learns(
    system_config: SystemConfig,
    labelled: list[Sample],
    small_bag: SimulatedBag,
    tmp_path: Path,
    precision: str,
    pattern: str,
):
    def losses(device: str, precision: str) -> list[float]:
        output = tmp_path / f"{device}_{precision}"
        config = TrainingConfig(
            run=RunConfig(steps=4, batch=3, evaluation_frames=0, workers=0, threads=1),
            system=dataclasses.replace(system_config, device=device, precision=precision),
            pattern=PatternConfig(pattern),
        )
        data = bag_data([small_bag.path])
        if pattern == "individual":
            data = data._replace(training=labelled)
        run_training(config, data, output)
        assert json.loads((output / "run.json").read_text())["cost"]["steps"] == 4
        rows = [row.split(",") for row in (output / "losses.csv").read_text().splitlines()]
        last = rows[0].index("stages")
        return [sum(map(float, row[1:last])) for row in rows[1:]]

    expected, found = losses("cpu", "fp32"), losses("cuda", precision)
    tolerance = 0.01 if precision == "fp32" else 0.1
    assert found[0] == pytest.approx(expected[0], rel=tolerance)
    # Untrained networks drift apart, but not far.
    assert found == pytest.approx(expected, rel=10 * tolerance)


def test_a_run_that_was_stopped_goes_on(
    system_config: SystemConfig, small_bag: SimulatedBag, tmp_path: Path
):
    config = TrainingConfig(
        run=RunConfig(steps=4, batch=2, checkpoint_every=2, evaluation_frames=0, workers=0),
        system=dataclasses.replace(system_config, device="cuda"),
    )
    data = bag_data([small_bag.path])

    def until_two(steps, done, total):
        for report in steps:
            if report.step == 1:
                raise KeyboardInterrupt
            yield report

    with pytest.raises(KeyboardInterrupt):
        run_training(config, data, tmp_path / "run", progress=until_two)
    run_training(config, data, tmp_path / "run", resume=True)
    run_training(config, data, tmp_path / "whole")
    for name in FILES.values():
        resumed, whole = load_file(tmp_path / "run" / name), load_file(tmp_path / "whole" / name)
        for key, value in whole.items():
            torch.testing.assert_close(resumed[key], value, rtol=1e-2, atol=1e-3)
