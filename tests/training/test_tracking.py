import csv
import dataclasses
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from conegrad_simulation.bag import SimulatedBag
from conegrad_training.loop import StepReport
from conegrad_training.system import FILES, PARTS, SystemConfig
from conegrad_training.tracked_run import run_tracked
from conegrad_training.tracking import RunTracker, TrackingConfig, make_client
from conegrad_training.training_data import bag_data
from conegrad_training.training_run import RunConfig, TrainingConfig

CLOSED = "http://127.0.0.1:9"  # the port of discard: nobody listens


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A local store; making its tables takes seconds, so there is one."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlruns') / 'mlflow.db'}"


@pytest.fixture
def config(system_config: SystemConfig) -> TrainingConfig:
    return TrainingConfig(
        run=RunConfig(steps=2, batch=1, evaluation_frames=2, workers=0, threads=1),
        system=system_config,
    )


def runs_of(store: str, experiment: str) -> dict[str, Any]:
    """Runs by name."""
    client = make_client(store)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return {run.info.run_name: run for run in client.search_runs([found.experiment_id])}


def artifacts(store: str, run: Any, folder: str | None = None) -> set[str]:
    return {file.path for file in make_client(store).list_artifacts(run.info.run_id, folder)}


def test_a_run_is_tracked_as_a_system_with_its_models(
    config: TrainingConfig, small_bag: SimulatedBag, store: str, tmp_path: Path
):
    tracking = TrackingConfig(tracking_uri=store, experiment="whole")
    output = tmp_path / "first"
    headlines, look = run_tracked(config, bag_data([small_bag.path]), output, tracking)
    assert look == f"runs: mlflow ui --backend-store-uri {store}"

    runs = runs_of(store, "whole")
    assert set(runs) == {"first", "first camera", "first lidar", "first fusion"}
    system = runs["first"]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parents = {runs[f"first {part}"].data.tags["mlflow.parentRunId"] for part in PARTS}
    assert parents == {system.info.run_id}
    assert system.data.params["run.steps"] == "2"
    assert system.data.params["data.names"] == "drive"
    assert runs["first lidar"].data.params["optimizer.lidar_rate"] == "0.001"
    assert system.data.metrics["recall_after"] == headlines["after"]["recall"]
    names = artifacts(store, system)
    assert {"run.json", "losses.png", "checkpoint.pt", "metrics_after.json"} <= names
    for part in PARTS:
        assert artifacts(store, runs[f"first {part}"], "weights") == {f"weights/{FILES[part]}"}
        assert runs[f"first {part}"].data.metrics["gradient_norm"] > 0

    with (output / "losses.csv").open() as file:
        written = [float(row["colour"]) for row in csv.DictReader(file)]
    history = make_client(store).get_metric_history(system.info.run_id, "loss_colour")
    assert [metric.step for metric in history] == [1, 2]
    assert [metric.value for metric in history] == pytest.approx(written, rel=1e-5)


def test_a_resumed_run_goes_on_in_the_same_runs(
    config: TrainingConfig, small_bag: SimulatedBag, store: str, tmp_path: Path
):
    config = dataclasses.replace(
        config,
        run=dataclasses.replace(config.run, evaluation_frames=0, checkpoint_every=1),
    )
    tracking = TrackingConfig(tracking_uri=store, experiment="resumed")

    def interrupted(steps: Iterator[StepReport], done: int, total: int) -> Iterator[StepReport]:
        yield next(steps)
        raise KeyboardInterrupt

    data = bag_data([small_bag.path])
    with pytest.raises(KeyboardInterrupt):
        run_tracked(config, data, tmp_path / "run", tracking, progress=interrupted)
    before = runs_of(store, "resumed")
    assert before["run"].info.status == "FAILED"
    run_tracked(config, data, tmp_path / "run", tracking, resume=True)
    after = runs_of(store, "resumed")
    assert {run.info.run_id for run in after.values()} == {r.info.run_id for r in before.values()}
    assert after["run"].info.status == "FINISHED"
    history = make_client(store).get_metric_history(after["run"].info.run_id, "loss_colour")
    assert {metric.step for metric in history} >= {2}


def test_a_server_that_is_away_costs_a_warning_and_no_training(
    config: TrainingConfig,
    small_bag: SimulatedBag,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with caplog.at_level(logging.WARNING, "conegrad_training.tracking"):
        headlines, look = run_tracked(
            config, bag_data([small_bag.path]), tmp_path, TrackingConfig(tracking_uri=CLOSED)
        )
    assert f"MLflow at {CLOSED} cannot be used" in caplog.text
    assert f"everything is in {tmp_path}" in caplog.text
    assert look == ""
    assert set(headlines) == {"before", "after"}
    assert (tmp_path / FILES["camera"]).exists()


def test_without_mlflow_a_run_is_not_tracked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    tracker = RunTracker(TrackingConfig(tracking_uri=CLOSED), tmp_path, {})
    assert tracker.is_lost
    assert "mlflow" in caplog.text


def test_values_of_a_store_that_failed_for_a_while_arrive_at_the_end(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tracker = RunTracker(TrackingConfig(tracking_uri=store, experiment="late"), tmp_path / "r", {})
    monkeypatch.setattr("conegrad_training.tracking.FLUSH_EVERY", -1.0)
    reports = [StepReport(n, {"colour": 3.0 - n}, {}, frozenset(), 0.1) for n in range(2)]
    with monkeypatch.context() as broken:

        def away(*_: Any, **__: Any) -> None:
            raise ConnectionError("no route")

        broken.setattr(tracker._client, "log_batch", away)
        assert list(tracker.watch(iter(reports))) == reports
        assert tracker.is_lost
    tracker.finish({})
    assert not tracker.is_lost
    run = runs_of(store, "late")["r"]
    history = make_client(store).get_metric_history(run.info.run_id, "loss_colour")
    assert [(metric.step, metric.value) for metric in history] == [(1, 3.0), (2, 2.0)]


def test_without_tracking_nothing_is_tracked(
    config: TrainingConfig,
    small_bag: SimulatedBag,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, evaluation_frames=0))
    data, output = bag_data([small_bag.path]), tmp_path / "run"
    assert run_tracked(config, data, output, TrackingConfig(tracking=False)) == ({}, "")
    assert not (tmp_path / "mlruns").exists()
    assert not (output / "tracking.json").exists()
    assert torch.load(output / "checkpoint.pt", weights_only=True)["step"] == 2
