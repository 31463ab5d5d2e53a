import pytest
import torch
from lidar_system import assert_identical, cones_of
from safetensors import safe_open

from conegrad_core.engines.form import EngineForm
from conegrad_core.pipeline.build import load_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.system_record.description import Description
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import ExportOrder, SystemRecord, write_record
from conegrad_core.system_record.stage_hash import stage_hashes
from conegrad_core.vehicle import load_vehicle


def test_a_record_says_what_it_is(record):
    entry = record.entry
    assert (record.name, entry.integration, entry.pipeline) == ("car", "single", "lidar_alone")
    assert entry.description.metrics["segmenter"] == {"beam_f1": 0.8}
    assert entry.description.settings == {"run": {"steps": 7, "rate": 1e-5}}
    assert entry.stages["segmenter"].weights == "weights/segmenter.safetensors"
    assert entry.stages["fuser"].scalars["cone_radius"] == pytest.approx(0.049)
    assert SystemRecord(record.folder).description == record.description


def test_the_pipeline_of_a_record_has_the_settings_and_the_cones_of_the_original(record, pipeline):
    loaded = record.pipeline(trainable=True)
    assert loaded.stage("fuser").config.rounds == 5
    assert_identical(cones_of(loaded), cones_of(pipeline))


def test_a_record_keeps_its_hashes_when_it_is_recorded_again(record, tmp_path):
    again = write_record(tmp_path / "again", record.pipeline(trainable=True), record.description)
    assert again.stage_hashes == record.stage_hashes == stage_hashes(record.pipeline())


def test_the_hash_of_a_stage_follows_its_weights_and_its_settings(record, pipeline):
    tuned = record.pipeline({"fuser": {"rounds": 6}}, trainable=True)
    before, after = record.stage_hashes, stage_hashes(tuned)
    assert before["segmenter"] == after["segmenter"]
    assert before["fuser"] != after["fuser"]
    tuned = record.pipeline(trainable=True)
    with torch.no_grad():
        next(tuned.stage("segmenter").parameters()).mul_(1.001)
    assert stage_hashes(tuned)["segmenter"] != before["segmenter"]


def test_weights_of_a_record_do_not_say_how_those_were_made_that_it_started_from(record):
    with safe_open(record.folder / "weights/segmenter.safetensors", framework="pt") as file:
        assert file.metadata().keys() == {"architecture"}


def test_the_calibration_comes_back_exactly(record):
    original = load_vehicle("formula_student").calibration()
    assert torch.equal(record.calibration.camera_from_lidar, original.camera_from_lidar)
    assert torch.equal(record.calibration.camera.intrinsics, original.camera.intrinsics)
    assert record.calibration.lidar_height == original.lidar_height


def test_a_stage_that_learns_without_a_weights_file_is_refused(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(type(pipeline.stage("segmenter")), "weights_file", "")
    with pytest.raises(PipelineError, match="segmenter learns, but has no weights file"):
        write_record(tmp_path / "record", pipeline, Description("car"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_is_not_replaced(pipeline, tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RecordError, match="something else than a record"):
        write_record(tmp_path, pipeline, Description("car"))


def test_a_name_that_no_reference_could_hold_is_refused():
    with pytest.raises(RecordError, match="'a/b', expected a word"):
        Description("a/b")


def test_weights_lie_relative_to_the_pipeline_file(record, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    loaded = load_pipeline(record.pipeline_file)
    assert loaded.stage("segmenter").config.weights.endswith("system/weights/segmenter.safetensors")


def test_an_exported_system_is_a_record_that_runs_on_its_engine(pipeline, tmp_path):
    order = ExportOrder(EngineForm("openvino"), ("segmenter",))
    made = write_record(tmp_path / "fast", pipeline, Description("car"), order=order)
    loaded = made.pipeline()
    assert loaded.stage("segmenter").config.engine == "openvino"
    assert made.stage_hashes == stage_hashes(loaded)
    torch.testing.assert_close(
        cones_of(loaded).positions, cones_of(pipeline).positions, atol=1e-4, rtol=0
    )
    measured = made.with_metrics(tmp_path / "measured", {"original": {"recall": 0.5}})
    assert measured.description.metrics == {"original": {"recall": 0.5}}
    assert measured.stage_hashes == made.stage_hashes
