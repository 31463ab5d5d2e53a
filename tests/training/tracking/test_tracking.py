import csv
import dataclasses
import logging
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from car_stages import FILES, STAGES

from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.reference import resolve
from conegrad_data.bags.content_hash import bag_hash
from conegrad_simulation.recording.bag import SimulatedBag
from conegrad_training.data.training_data import bag_data
from conegrad_training.engine.loop import StepReport
from conegrad_training.engine.training_run import RunConfig, TrainingConfig
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracked_run import run_tracked
from conegrad_training.tracking.tracking import RunTracker, TrackingConfig, local_store, make_client

CLOSED = "http://127.0.0.1:9"  # the port of discard: nobody listens


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
    headlines, look, version = run_tracked(config, bag_data([small_bag.path]), output, tracking)
    runs = runs_of(store, "whole")
    info = runs["first"].info
    address = f"#/experiments/{info.experiment_id}/runs/{info.run_id}?workflowType=machine_learning"
    command = f"mlflow ui --backend-store-uri {store}"
    assert look == f"run: http://127.0.0.1:5000/{address}, served by\n  {command}"
    assert set(runs) == {"first", "first detector", "first segmenter", "first fuser"}
    system = runs["first"]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parents = {runs[f"first {part}"].data.tags["mlflow.parentRunId"] for part in STAGES}
    assert parents == {system.info.run_id}
    assert system.data.params["run.steps"] == "2"
    assert system.data.params["data.names"] == "drive"
    assert runs["first segmenter"].data.params["rate"] == "0.001"
    assert system.data.params["stages.segmenter.rate"] == "0.001"
    assert system.data.metrics["recall"] == headlines["after"]["recall"]
    steps = make_client(store).get_metric_history(system.info.run_id, "recall")
    assert {m.step: m.value for m in steps} == {
        0: headlines["before"]["recall"],
        2: headlines["after"]["recall"],
    }
    assert "mlflow.source.name" in system.data.tags
    assert "on drive" in system.data.tags["mlflow.note.content"]
    kind = make_client(store).get_experiment(system.info.experiment_id).tags
    assert kind["mlflow.experimentKind"] == "custom_model_development"
    names = artifacts(store, system)
    assert {"run.json", "losses.png", "checkpoint.pt", "metrics_after.json"} <= names
    for part in STAGES:
        assert artifacts(store, runs[f"first {part}"], "weights") == {f"weights/{FILES[part]}"}
        assert runs[f"first {part}"].data.metrics["gradient_norm"] > 0

    with (output / "losses.csv").open() as file:
        written = [float(row["colour"]) for row in csv.DictReader(file)]
    history = make_client(store).get_metric_history(system.info.run_id, "loss_colour")
    assert [metric.step for metric in history] == [1, 2]
    assert [metric.value for metric in history] == pytest.approx(written, rel=1e-5)

    record = resolve("camera_lidar@latest")
    assert version is not None
    assert record is not None
    assert record.id == version.id == SystemRecord(output / "system").id
    assert record.description.metrics["system"]["recall"] == headlines["after"]["recall"]
    (bag,) = record.description.bags
    assert (bag.name, bag.sha256) == ("drive", bag_hash(small_bag.path))
    (found,) = make_client(store).search_model_versions("name = 'camera_lidar'")
    assert (int(found.version), found.run_id) == (version.number, system.info.run_id)
    assert found.tags["record_id"] == record.id
    (data,) = make_client(store).get_run(system.info.run_id).inputs.dataset_inputs
    assert data.dataset.digest == bag.sha256[:36]
    models = make_client(store).search_logged_models([system.info.experiment_id])
    assert {m.name for m in models} == {"camera_lidar", *(f"camera_lidar-{s}" for s in STAGES)}


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
    with caplog.at_level(logging.WARNING, "conegrad_training.tracking.tracking"):
        headlines, look, _ = run_tracked(
            config, bag_data([small_bag.path]), tmp_path, TrackingConfig(tracking_uri=CLOSED)
        )
    assert f"MLflow at {CLOSED} cannot be used" in caplog.text
    assert f"everything is in {tmp_path}" in caplog.text
    assert look == ""
    assert set(headlines) == {"before", "after"}
    assert (tmp_path / FILES["detector"]).exists()


REPORTS = [StepReport(n, {"colour": 3.0 - n}, {}, frozenset(), 0.1) for n in range(3)]


def garbage(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def zeroed_pages(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4096] + bytes(len(content) - 4096))


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def full(file: Path) -> None:
    """Every insert fails as on a full disk."""
    with sqlite3.connect(file) as database:
        for table in ("runs", "metrics"):
            database.execute(
                f"CREATE TRIGGER {table}_full BEFORE INSERT ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )


@pytest.mark.parametrize("is_early", [True, False], ids=["before the run", "in the run"])
@pytest.mark.parametrize("damage", [garbage, zeroed_pages, cut_short, full])
def test_a_store_that_is_full_or_broken_is_said_once_and_costs_no_step(
    store: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    damage: Any,
    is_early: bool,
):
    make_client(store).search_experiments()
    file = tmp_path / "mlflow.db"
    shutil.copy(store.removeprefix("sqlite:///"), file)
    monkeypatch.setattr("conegrad_training.tracking.tracking.FLUSH_EVERY", -1.0)
    with caplog.at_level(logging.WARNING):
        if is_early:
            damage(file)
        config = TrackingConfig(tracking_uri=f"sqlite:///{file}", experiment="broken")
        tracker = RunTracker(config, tmp_path / "run", {"run": {"steps": 3}})
        if not is_early:
            damage(file)
        assert list(tracker.watch(iter(REPORTS))) == REPORTS
        tracker.finish({})
    assert tracker.is_lost
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"MLflow at sqlite:///{file} cannot be used (")
    assert said.endswith(f"the training goes on, everything is in {tmp_path / 'run'}")
    assert "\n" not in said


@pytest.mark.parametrize(
    "record",
    [
        pytest.param("{half", id="cut short"),
        pytest.param('{"uri": "URI"}', id="no runs"),
        pytest.param('{"uri": "URI", "runs": {"system": "a"}}', id="not all runs"),
        pytest.param(
            '{"uri": "URI", "runs": {"system": "a", "detector": "b"}}',
            id="of another store",
        ),
    ],
)
def test_a_record_of_runs_that_the_store_does_not_have_begins_new_ones(
    store: str, tmp_path: Path, record: str
):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tracking.json").write_text(record.replace("URI", store))
    config = TrackingConfig(tracking_uri=store, experiment="records")
    tracker = RunTracker(config, tmp_path / "run", {}, ["detector"])
    tracker.finish({})
    assert not tracker.is_lost


def test_the_command_that_shows_the_runs_is_quoted_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "my runs 100% (old)?"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("conegrad_training.tracking.tracking.make_client", lambda uri: None)
    tracker = RunTracker(TrackingConfig(), folder / "run", {})
    uri = f"sqlite:///{tmp_path}/my runs 100%25 (old)%3F/mlruns/mlflow.db"
    assert tracker.how_to_look() == f"runs: mlflow ui --backend-store-uri '{uri}'"


def test_the_store_of_a_folder_with_signs_of_a_uri_lies_in_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
):
    folder = tmp_path / "50%20 ?#a"
    (folder / "mlruns").mkdir(parents=True)
    make_client(store).search_experiments()
    shutil.copy(store.removeprefix("sqlite:///"), folder / "mlruns" / "mlflow.db")
    monkeypatch.chdir(folder)
    tracker = RunTracker(TrackingConfig(tracking_uri=local_store(), experiment="x"), folder, {})
    tracker.finish({})
    assert not tracker.is_lost
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as database:
        (location,) = database.execute(
            "SELECT artifact_location FROM experiments WHERE name = 'x'"
        ).fetchone()
    assert location == (folder / "mlruns" / "artifacts" / "x").as_uri()


@pytest.mark.parametrize("name", ["../elsewhere", "a/../../b", "", "/"])
def test_an_experiment_that_leads_out_of_its_folder_is_refused(name: str):
    with pytest.raises(ValueError, match=r"TrackingConfig\.experiment is "):
        TrackingConfig(experiment=name)


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
    monkeypatch.setattr("conegrad_training.tracking.tracking.FLUSH_EVERY", -1.0)
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
    assert run_tracked(config, data, output, TrackingConfig(tracking=False)) == ({}, "", None)
    assert not (tmp_path / "mlruns").exists()
    assert not (output / "tracking.json").exists()
    assert torch.load(output / "checkpoint.pt", weights_only=True)["step"] == 2
