"""Training of the scan network: it learns, resumes exactly and says where weights come from."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from conegrad_core.lidar.height_profile import PROFILE_CHANNELS
from conegrad_core.lidar.segmenter import SegmenterConfig, load_segmenter
from conegrad_core.system_record.reference import resolve
from conegrad_training.engine.checkpoint import TrainingState
from conegrad_training.engine.command_line import config_from_arguments
from conegrad_training.supervised import lidar_training
from conegrad_training.supervised.lidar_training import (
    LidarTrainingConfig,
    beam_weights,
    focal_beam_loss,
    train_lidar,
    train_step,
)
from conegrad_training.supervised.simulated_scans import MixedScans, SimulatedScans
from conegrad_training.tracking.model_card import training_command
from conegrad_training.tracking.tracking import TrackingConfig, make_client

TINY = LidarTrainingConfig(
    steps=4,
    batch=2,
    sensors=1,
    workers=0,
    evaluation_batches=1,
    evaluation_frames=1,
    checkpoint_every=2,
    clouds=0.0,
)


def weights(folder):
    network = load_segmenter(SegmenterConfig(weights=str(folder / "scan_cnn.safetensors"))).network
    return network.state_dict()


def test_a_killed_run_resumes_to_the_same_weights(tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_lidar(dataclasses.replace(TINY, output=str(whole)))

    steps = lidar_training.train_step

    def killed_at_third_step(*arguments):
        if (killed / "checkpoint.pt").exists():
            raise KeyboardInterrupt
        return steps(*arguments)

    monkeypatch.setattr(lidar_training, "train_step", killed_at_third_step)
    with pytest.raises(KeyboardInterrupt):
        train_lidar(dataclasses.replace(TINY, output=str(killed)))
    monkeypatch.undo()
    train_lidar(dataclasses.replace(TINY, output=str(killed)))

    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(killed)[name], value, rtol=0, atol=0)


def test_the_card_and_the_weights_file_tell_command_seed_revision_and_metrics(tmp_path):
    config = dataclasses.replace(TINY, output=str(tmp_path), steps=1, seed=3)
    card = train_lidar(config)
    stored = json.loads((tmp_path / "scan_cnn.json").read_text())
    assert stored == card
    assert "--seed 3" in card["command"]
    assert set(card["metrics"]) >= {"random sensors and clutter", "formula_student, any range"}
    text = (tmp_path / "scan_cnn.md").read_text()
    assert card["sha256"] in text
    assert card["git_revision"] in text
    metadata = load_segmenter(SegmenterConfig(weights=str(tmp_path / "scan_cnn.safetensors")))
    assert json.loads(metadata.metadata["settings"])["seed"] == 3


def test_the_loss_falls_on_scans_that_are_seen_again():
    torch.manual_seed(0)
    state = lidar_training._fresh_state(dataclasses.replace(TINY, steps=40))
    batches = [SimulatedScans(7, 1, 4)[0]]
    losses = [train_step(state, batches, focus=0.0)["beams"] for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]


def test_batches_of_clouds_have_the_profile_and_labels_of_their_returns():
    clouds = SimulatedScans(11, 1, 2, cloud_share=1.0)
    batch, again = clouds[0], clouds[0]
    assert batch.profile.shape == (1, PROFILE_CHANNELS, batch.ranges.shape[1])
    assert (batch.profile[:, 0] == np.isfinite(batch.ranges)).all()
    assert batch.labels.any()
    assert not (batch.labels & np.isnan(batch.ranges)).any()
    np.testing.assert_array_equal(again.profile, batch.profile)


def test_simulated_batches_are_mixed_in_by_their_share():
    first, second = SimulatedScans(0, 40, 1), SimulatedScans(500, 40, 1)
    mixed = MixedScans(first, second, 0.3, seed=1)
    from_second = [
        np.array_equal(mixed[i].ranges, second[i].ranges, equal_nan=True) for i in range(40)
    ]
    assert 4 <= sum(from_second) <= 20
    kept = next(i for i in range(40) if not from_second[i])
    np.testing.assert_array_equal(mixed[kept].ranges, first[kept].ranges)


def test_a_gradient_that_is_not_finite_stops_the_run_and_leaves_the_weights():
    torch.manual_seed(0)
    fresh = lidar_training._fresh_state(TINY)
    state = TrainingState(fresh.model, fresh.optimizer)
    with torch.no_grad():
        state.model.head.bias.fill_(torch.nan)
    before = state.model.head.weight.clone()
    with pytest.raises(RuntimeError, match="non-finite"):
        train_step(state, [SimulatedScans(7, 1, 2)[0]], focus=0.0)
    torch.testing.assert_close(state.model.head.weight, before)


def test_the_loss_is_cross_entropy_over_beams_with_return():
    logits = torch.tensor([[0.0, 0.0, 50.0]], requires_grad=True)
    labels, ranges = torch.tensor([[True, False, False]]), torch.tensor([[1.0, 1.0, torch.nan]])
    loss = focal_beam_loss(logits, labels, ranges, focus=0.0)
    assert loss.item() == pytest.approx(0.6931, abs=1e-4)  # log 2
    loss.backward()
    assert logits.grad.tolist() == [[-0.25, 0.25, 0.0]]


def test_far_weights_make_up_for_the_few_beams_on_far_cones():
    ranges = torch.tensor([[1.0, 4.0, 100.0, torch.nan]])
    assert beam_weights(ranges, 0.01, 0.0)[0, :3].tolist() == [1.0, 1.0, 1.0]
    near, far, very_far = beam_weights(ranges, 0.01, 1.0)[0, :3].tolist()
    assert far == pytest.approx(4 * near)
    assert very_far == 1.0
    labels = torch.tensor([[True, True]])
    logits, there = torch.tensor([[0.0, 50.0]]), torch.ones(1, 2)
    loss = focal_beam_loss(logits, labels, there, 0.0, torch.tensor([[1.0, 3.0]]))
    assert loss.item() == pytest.approx(0.6931 / 4, abs=1e-4)


def test_focus_plays_down_beams_that_are_evaluated_well():
    labels, ranges = torch.ones(1, 1, dtype=torch.bool), torch.ones(1, 1)
    logits = torch.tensor([[2.1972]])  # probability 0.9: cross-entropy 0.1054, miss 0.1
    assert focal_beam_loss(logits, labels, ranges, 2.0).item() == pytest.approx(0.001054, abs=1e-6)


def test_the_command_repeats_the_settings():
    config = LidarTrainingConfig(steps=7, seed=2)
    command = training_command(lidar_training.MODULE, config)
    assert command == "python -m conegrad_training.supervised.lidar_training --steps 7 --seed 2"
    assert config_from_arguments(LidarTrainingConfig, command.split()[3:]) == config


def test_a_setting_out_of_bounds_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        config_from_arguments(LidarTrainingConfig, ["--steps", "0"])
    assert "--steps is 0, expected at least 1" in capsys.readouterr().err


def test_a_run_is_tracked_as_its_stage(tmp_path):
    store = f"sqlite:///{tmp_path}/mlflow.db"
    tracking = TrackingConfig(tracking_uri=store, experiment="alone")
    train_lidar(dataclasses.replace(TINY, output=str(tmp_path / "scans")), tracking)
    client = make_client(store)
    experiment = client.get_experiment_by_name("alone")
    runs = {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"scans", "scans segmenter"}
    parent, child = runs["scans"], runs["scans segmenter"]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert parent.data.params["run.steps"] == "4"
    assert parent.data.metrics["loss_beams"] > 0
    assert 0 <= parent.data.metrics["beam_f1"] <= 1
    files = {file.path for file in client.list_artifacts(child.info.run_id, "weights")}
    assert files == {f"weights/scan_cnn.{ending}" for ending in ("safetensors", "json", "md")}
    record = resolve("camera_lidar@latest")
    assert record.id == resolve(tmp_path / "scans").id
    assert record.description.pattern == "individual"
    assert "beam_f1" in record.description.metrics["segmenter"]
    trained, written = (
        load_file(path)
        for path in (
            tmp_path / "scans" / "scan_cnn.safetensors",
            record.folder / "weights" / "segmenter.safetensors",
        )
    )
    assert all(torch.equal(trained[name], written[name]) for name in trained)


def test_a_run_that_ends_with_an_error_is_tracked_as_failed(tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("no gradient")

    monkeypatch.setattr(lidar_training, "train_step", broken)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    tracking = TrackingConfig(tracking_uri=store, experiment="alone")
    with pytest.raises(RuntimeError, match="no gradient"):
        train_lidar(dataclasses.replace(TINY, output=str(tmp_path / "scans")), tracking)
    client = make_client(store)
    experiment = client.get_experiment_by_name("alone")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FAILED"}
