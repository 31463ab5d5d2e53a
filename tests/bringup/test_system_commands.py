"""conegrad system: from a record to a release and back, on the local store."""

import json
import sys

import pytest
import yaml
from lidar_system import LIDAR_ALONE, lidar_alone, recorded

from conegrad_bringup.bag_options import PerceptionSettings
from conegrad_bringup.command_line import main
from conegrad_core.settings import SettingError
from conegrad_core.system_record.reference import resolve
from conegrad_core.system_record.store import SystemStore
from conegrad_training.systems.system_config import SystemConfig


def said(capsys, *words, code=0, offline=False):
    given = ["system", *map(str, words), *(["--no-tracking"] if offline else [])]
    assert main(given) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.out + captured.err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The output folder of a training."""
    folder = tmp_path_factory.mktemp("run")
    recorded(folder / "system", lidar_alone())
    return folder


@pytest.fixture
def two(run, capsys):
    """A store with two versions."""
    said(capsys, "log", run, offline=True)
    said(capsys, "log", "car/1", "--note", "slower", offline=True)
    return SystemStore()


def test_a_training_is_logged_as_it_is_and_found_by_version(run, capsys):
    record = resolve(run)
    assert said(capsys, "log", run, offline=True) == f"car/1, record {record.id}\n"
    assert said(capsys, "log", run, offline=True) == f"car/1, record {record.id}\n"
    row = said(capsys, "list").splitlines()[1]
    assert row.split()[:4] == ["car/1", record.id, "-", "lidar_alone"]
    assert "0.900" in row


def test_a_pipeline_is_recorded_with_its_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/opt/bin/conegrad", "system", "log"])
    path = tmp_path / "lidar_alone.yaml"
    path.write_text(LIDAR_ALONE)
    said(capsys, "log", path, "--vehicle", "roboracer", "--system-name", "small", offline=True)
    record = resolve("small/1")
    assert record.calibration is not None
    assert record.description.command == "conegrad system log"


def test_promotion_moves_the_champion_and_rollback_brings_it_back(two, capsys):
    said(capsys, "promote", "car/1", offline=True)
    said(capsys, "promote", "car@latest", offline=True)
    assert two.aliases("car") == {"champion": 2}
    assert "car@champion is car/1" in said(capsys, "rollback", "car", offline=True)
    text = said(capsys, "rollback", "car", code=1, offline=True)
    assert "car@champion was at no earlier version" in text


def test_differences_are_shown_and_given_to_programs(two, capsys):
    text = said(capsys, "diff", "car/1", "car/2")
    assert "slower" in text
    assert "equal: code, data, stages, weights, scalars, calibration, settings, metrics" in text
    found = json.loads(said(capsys, "diff", "car/1", "car/2", "--json"))
    assert {"section": "origin", "name": "note", "first": "-", "second": "slower"} in found
    assert said(capsys, "diff", "car/1", "car/1") == "nothing differs\n"


def test_a_system_is_shown_with_its_lineage_as_a_page(two, tmp_path, capsys):
    text = said(capsys, "show", "car/2", "-o", tmp_path / "car.html")
    assert "lidar_alone: single" in text
    page = (tmp_path / "car.html").read_text()
    assert page.count("<svg") == 2
    assert "slower" in page
    assert json.loads(said(capsys, "show", "car/1", "--json"))["name"] == "car"


def test_an_exported_system_is_imported_elsewhere(two, tmp_path, capsys, monkeypatch):
    record = resolve("car/2")
    said(capsys, "export", "car/2", "-o", tmp_path / "car.zip")
    monkeypatch.setenv("CONEGRAD_SYSTEMS", str(tmp_path / "elsewhere"))
    text = said(capsys, "import", tmp_path / "car.zip", offline=True)
    assert text == f"car/1, record {record.id}\n"
    assert f"car, record {record.id}, 6 files" in said(
        capsys, "verify", "car/1", tmp_path / "car.zip"
    )


def test_a_changed_file_is_named_by_verify_and_refused_everywhere(two, capsys):
    folder = two.record_folder(two.version("car", 1).id)
    weights = folder / "weights" / "segmenter.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    text = said(capsys, "verify", code=1)
    assert f"car/1: {weights} differs: sha256" in text
    assert "car/2: car, record" in text
    assert "differs" in said(capsys, "promote", "car/1", code=1, offline=True)
    assert "differs" in said(capsys, "list")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "car/3"), "car has no version 3"),
        (("show", "camera_lidar"), "'camera_lidar' names no recorded system"),
        (("promote", "car", "--no-tracking"), "'car' names no version"),
        (("promote", "car/1", "--alias", "v2", "--no-tracking"), "the alias is 'v2'"),
        (("import", "nothing.zip", "--no-tracking"), "nothing.zip does not exist"),
        (("list", "cra"), "system 'cra' is unknown, did you mean car?"),
    ],
)
def test_what_cannot_be_done_is_explained(two, words, message, capsys):
    assert message in said(capsys, *words, code=1)


def test_a_run_of_the_perception_keeps_the_version_that_an_alias_had(two):
    assert PerceptionSettings(system="car@latest").what_runs == "car/2"
    assert SystemConfig(pipeline="car@latest").pipeline == "car/2"
    with pytest.raises(SettingError, match="beside the pipeline 'camera_lidar'"):
        PerceptionSettings(system="car@latest", pipeline="camera_lidar")


def test_the_group_lists_its_commands(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["system", "--help"])
    assert ended.value.code == 0
    assert "system rollback" in capsys.readouterr().out


def test_parameters_of_a_system_are_a_file_that_the_nodes_take(two, tmp_path, capsys):
    path = tmp_path / "car.yaml"
    told = said(capsys, "parameters", "car/1", "-o", path)
    assert f"params_file:={path}" in told
    record = resolve("car/1")
    text = path.read_text()
    assert text.startswith(f"# Parameters of car/1, record {record.id}")
    content = yaml.safe_load(text)
    folder = two.record_folder(record.id).resolve()
    of_lidar = content["/**/lidar_node"]["ros__parameters"]
    assert of_lidar["pipeline"] == str(folder / "pipeline.yaml")
    assert "--force replaces it" in said(capsys, "parameters", "car/1", "-o", path, code=1)


def test_parameters_take_the_extrinsics_of_a_vehicle_where_they_are_asked_to(two, tmp_path, capsys):
    path = tmp_path / "car.yaml"
    assert "no such file" in said(
        capsys, "parameters", "car/1", "-o", path, "--monitor", tmp_path / "m", code=1
    )
    assert not path.exists()
    said(capsys, "parameters", "car/1", "-o", path, "--vehicle", "roboracer")
    of_fusion = yaml.safe_load(path.read_text())["/**/fusion_node"]["ros__parameters"]
    assert of_fusion["calibration.extrinsics"] == "vehicle"
    assert of_fusion["calibration.vehicle"] == "roboracer"  # found on every machine
