"""The position solver as a stage: missing inputs, its scalars, its file."""

import pytest
import torch
from safetensors.torch import save_file

from conegrad_core.camera.image import Detections
from conegrad_core.keypoints.keypoints import Keypoints
from conegrad_core.keypoints.solver_stage import SolverConfig, SolverStage
from conegrad_core.pipeline.context import FrameContext
from conegrad_core.pipeline.registry import stage_class


def test_a_sample_without_keypoints_has_no_positions(seen):
    scene = seen()
    stage = SolverStage.from_config(SolverConfig())
    stage.module.set_values({"seen_height": 1.0, "seen_width": 1.0})
    contexts = [FrameContext(scene.calibration)] * 3
    inputs = {
        "detections": [scene.detections, None, scene.detections],
        "keypoints": [scene.keypoints, None, None],
    }
    found = stage(inputs, contexts)["positions"]
    torch.testing.assert_close(found[0].positions, scene.truth, atol=1e-3, rtol=1e-3)
    assert found[1:] == [None, None]


def test_needs_a_calibration(seen):
    inputs = {"detections": [seen().detections], "keypoints": [seen().keypoints]}
    with pytest.raises(ValueError, match="calibration is None"):
        SolverStage(SolverConfig())(inputs, [FrameContext()])


def test_scalars_survive_their_file(tmp_path):
    stage = SolverStage(SolverConfig())
    stage.module.set_values({"tilt_noise": 0.01})
    path = tmp_path / stage.weights_file
    stage.save(path)
    loaded = SolverStage(SolverConfig(weights=str(path)))
    assert loaded.scalars() == pytest.approx(stage.scalars())
    save_file({"tilt_noise": torch.tensor(0.01)}, path)
    with pytest.raises(ValueError, match="lacks the solver scalars class_temperature"):
        SolverStage(SolverConfig(weights=str(path)))


def test_every_scalar_learns_from_positions_and_covariances(seen):
    scene = seen(noise=2.0, deviation=1.0, tilt=(0.0, 0.02))
    stage = SolverStage(SolverConfig())
    inputs = {"detections": [scene.detections], "keypoints": [scene.keypoints]}
    (found,) = stage(inputs, [FrameContext(scene.calibration)])["positions"]
    ((found.positions - scene.truth).square().sum() + found.covariances.sum()).backward()
    silent = [name for name, p in stage.named_parameters() if not p.grad.abs() > 0]
    assert silent == []


def test_is_found_by_its_name():
    assert stage_class("keypoint_solver") is SolverStage
    assert SolverStage.learns
    assert SolverStage.joins


def test_the_recorded_solver_finds_the_same_positions(seen):
    scene = seen(noise=1.0, tilt=(0.002, 0.004))
    plain, fast = SolverStage(SolverConfig()), SolverStage(SolverConfig())
    fast.accelerate()
    moved = scene.calibration._replace(lidar_height=scene.calibration.lidar_height + 0.02)
    with torch.inference_mode():
        for calibration in (scene.calibration, moved):
            for count in (10, 0, 1, 7):
                inputs = {
                    "detections": [Detections(*(values[:count] for values in scene.detections))],
                    "keypoints": [Keypoints(*(values[:count] for values in scene.keypoints))],
                }
                (found,) = fast(inputs, [FrameContext(calibration)])["positions"]
                (expected,) = plain(inputs, [FrameContext(calibration)])["positions"]
                torch.testing.assert_close(found, expected)
