"""A pipeline learns from, and is measured against, what its own sensors see."""

from pathlib import Path

import pytest
import torch
from camera_alone import CAMERA_ALONE

from conegrad_core.losses import EndLoss
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.sample import Sample
from conegrad_evaluation.system.system_metrics import measure
from conegrad_training.engine.loop import count_step, end_losses
from conegrad_training.engine.training_cost import TrainingCost
from conegrad_training.patterns.patterns import PatternConfig, make_pattern
from conegrad_training.systems.system import TrainableSystem, load_system
from conegrad_training.systems.system_config import SystemConfig


@pytest.fixture
def camera_alone(system_config: SystemConfig, tmp_path: Path) -> TrainableSystem:
    path = tmp_path / "camera_alone.yaml"
    path.write_text(CAMERA_ALONE)
    weights = tuple(w for w in system_config.weights if not w.startswith("segmenter"))
    size = {"input_width": system_config.input_width, "input_height": system_config.input_height}
    return load_system(SystemConfig(pipeline=str(path), weights=weights, **size))


@pytest.fixture
def sample(labelled: list[Sample]) -> Sample:
    """Every second cone was seen by the LiDAR alone."""
    truth = labelled[0].truth
    seen = torch.arange(len(truth.classes)) % 2 == 0
    return labelled[0]._replace(truth=truth._replace(visible_camera=seen, visible_lidar=~seen))


def without_others(sample: Sample) -> Sample:
    nothing = torch.zeros_like(sample.truth.visible_lidar)
    return sample._replace(truth=sample.truth._replace(visible_lidar=nothing))


def test_cones_that_only_the_lidar_saw_do_not_teach_a_camera(
    camera_alone: TrainableSystem, system: TrainableSystem, sample: Sample
):
    for learner, is_equal in ((camera_alone, True), (system, False)):
        losses, expected = (
            end_losses(learner, [given], EndLoss()) for given in (sample, without_others(sample))
        )
        assert torch.equal(losses["existence"], expected["existence"]) is is_equal


def test_they_are_not_misses_of_a_camera(
    camera_alone: TrainableSystem, system: TrainableSystem, sample: Sample
):
    wanted = [
        measure(learner, [sample], EvaluationConfig()).system.details["total"]["counts"]["true"]
        for learner in (camera_alone, system)
    ]
    assert wanted == [int(sample.truth.visible_camera.sum()), len(sample.truth.classes)]


def test_they_cost_no_labels(camera_alone: TrainableSystem, sample: Sample):
    costs = []
    for given in (sample, without_others(sample)):
        cost = TrainingCost()
        update = make_pattern(PatternConfig(), camera_alone).update(0)
        count_step(cost, camera_alone, [given], update, EndLoss(), 0.0)
        costs.append(cost.label_values)
    assert costs[0] == costs[1]
