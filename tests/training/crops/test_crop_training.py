"""Trainings of the networks over crops on painted cones."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file

from conegrad_core.crops.network import load_crop_model
from conegrad_core.keypoints.keypoint_network import KeypointNetwork
from conegrad_training.crops import crop_training
from conegrad_training.crops.colour_training import ColourTrainingConfig, train_colours
from conegrad_training.crops.keypoint_training import (
    KeypointTraining,
    KeypointTrainingConfig,
    train_keypoints,
)

TINY = {"steps": 24, "batch": 12, "checkpoint_every": 6, "averaging": 0.5, "learning_rate": 5e-3}


@pytest.fixture(autouse=True)
def painted_cones(patches, monkeypatch):
    """Painted cones instead of rendered ones: the first thirty to learn from."""

    def painted(folder, level, first_seed, images, workers):
        return patches[30:] if first_seed >= 900_000_000 else patches[:30]

    monkeypatch.setattr(crop_training, "simulated_patches", painted)


def losses_of(folder):
    rows = (folder / "losses.csv").read_text().splitlines()[1:]
    return [sum(map(float, row.split(",")[1:])) for row in rows]


def test_a_short_run_lowers_the_loss_of_keypoints_and_writes_a_card(tmp_path):
    config = KeypointTrainingConfig(output=str(tmp_path), **TINY)
    card = train_keypoints(config)
    losses = losses_of(tmp_path)
    assert losses[-1] < losses[0] - 0.3
    visible = card["metrics"]["visible"]
    assert visible["keypoints"] == 70
    assert 0 < visible["median"] < 0.3
    assert visible["by_box_height"]["20 to 40 px"]["keypoints"] == 70
    model = load_crop_model(KeypointNetwork(), str(tmp_path / "keypoint_cnn.safetensors"))
    assert json.loads(model.metadata["settings"])["steps"] == 24
    assert "--steps 24" in (tmp_path / "keypoint_cnn.md").read_text()
    assert (tmp_path / "keypoint_cnn.safetensors").stat().st_size < 1_000_000


def test_a_short_run_lowers_the_loss_of_colours(tmp_path):
    card = train_colours(ColourTrainingConfig(output=str(tmp_path), **TINY))
    losses = losses_of(tmp_path)
    assert losses[-1] < 0.8 * losses[0]
    assert card["metrics"]["cones"] == 10
    assert card["metrics"]["accuracy"] > 0.4


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path, monkeypatch):
    config = KeypointTrainingConfig(**(TINY | {"steps": 8, "checkpoint_every": 2}))
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train_keypoints(dataclasses.replace(config, output=str(whole)))
    true_steps = KeypointTraining.steps

    def until_four(training, state, data, start):
        for step, losses in enumerate(true_steps(training, state, data, start), start):
            if step == 5:
                raise KeyboardInterrupt
            yield losses

    monkeypatch.setattr(KeypointTraining, "steps", until_four)
    with pytest.raises(KeyboardInterrupt):
        train_keypoints(dataclasses.replace(config, output=str(stopped)))
    monkeypatch.setattr(KeypointTraining, "steps", true_steps)
    train_keypoints(dataclasses.replace(config, output=str(stopped)))
    first, second = (load_file(run / "keypoint_cnn.safetensors") for run in (whole, stopped))
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_lying_cones_teach_no_keypoints(patches):
    lying = [patch._replace(stands=False) for patch in patches[:3]]
    assert KeypointTraining(KeypointTrainingConfig()).chosen([*lying, patches[3]]) == [patches[3]]


def test_images_without_cones_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(crop_training, "simulated_patches", lambda *_: [])
    config = KeypointTrainingConfig(output=str(tmp_path), images=7)
    with pytest.raises(ValueError, match=r"7 and 100 images of level mixed hold 0 and 0 cones"):
        train_keypoints(config)
