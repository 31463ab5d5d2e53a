"""What is found wrong with an installation and with its environment."""

import importlib.util
import json
import shutil

import pytest

pytest.importorskip("ament_index_python")

from conegrad_core.weights import WEIGHTS_FOLDER
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor import installation
from conegrad_nodes.doctor.middleware_checks import examine_middleware


def troubles(findings):
    return [finding for finding in findings if finding.level > Level.OK]


def only(findings):
    (found,) = troubles(findings)
    assert found.remedy
    return found


def test_packages_and_weights_of_this_installation_are_in_order():
    found = [*installation.examine_packages(), *installation.examine_weights()]
    assert not troubles(found)
    assert {finding.area for finding in found} == {"packages", "weights"}


@pytest.mark.parametrize(
    ("name", "area"), [("openvino", "engines"), ("onnxruntime", "engines"), ("torch", "packages")]
)
def test_a_package_that_is_missing_is_named(monkeypatch, name, area):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda module: None if module == name else found(module)
    )
    finding = only(installation.examine_packages())
    assert finding.level == Level.ERROR
    assert finding.area == area
    assert finding.text.startswith(f"{name} is not installed")


def test_one_byte_of_the_weights_that_differs_is_found_and_a_file_that_is_missing(tmp_path):
    for name in ("scan_cnn", "colour_cnn"):
        for suffix in (".json", ".safetensors"):
            shutil.copy(WEIGHTS_FOLDER / f"{name}{suffix}", tmp_path)
    path = tmp_path / "scan_cnn.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    finding = only(installation.examine_weights(tmp_path))
    assert str(path) in finding.text
    path.unlink()
    assert f"{path} is missing" in only(installation.examine_weights(tmp_path)).text


def test_a_card_without_a_hash_is_passed_over(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps({"values": {}}))
    assert not list(installation.examine_weights(tmp_path))


def test_a_pipeline_that_cannot_be_built_is_told_with_its_reason():
    finding = only(installation.examine_engines("nowhere"))
    assert "nowhere" in finding.text


def test_a_gpu_that_torch_does_not_find_is_told(monkeypatch):
    monkeypatch.setattr(installation.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(installation, "GOVERNOR", WEIGHTS_FOLDER / "none")
    assert "finds none" in only(installation.examine_device(has_device=True)).text
    assert not list(installation.examine_device(has_device=False))


@pytest.mark.parametrize(
    ("governor", "driver", "count"),
    [
        ("powersave", "acpi-cpufreq", 1),
        ("performance", "acpi-cpufreq", 0),
        ("powersave", "intel_pstate", 0),
    ],
)
def test_a_processor_that_saves_power_is_told(tmp_path, governor, driver, count):
    path = tmp_path / "scaling_governor"
    path.write_text(f"{governor}\n")
    path.with_name("scaling_driver").write_text(f"{driver}\n")
    assert len(troubles(installation.examine_governor(path))) == count


def test_a_disk_without_room_is_told_for_recordings_and_exports(monkeypatch, tmp_path):
    monkeypatch.setenv("CONEGRAD_CACHE", str(tmp_path / "not" / "there"))
    found = troubles(installation.examine_disk(room=2**60))
    assert [finding.level for finding in found] == [Level.WARN, Level.WARN]
    assert not troubles(installation.examine_disk(room=1))


@pytest.fixture
def environment(monkeypatch):
    for name in (
        "ROS_DOMAIN_ID",
        "ROS_AUTOMATIC_DISCOVERY_RANGE",
        "ROS_LOCALHOST_ONLY",
        "RMW_IMPLEMENTATION",
        "FASTRTPS_DEFAULT_PROFILES_FILE",
        "FASTDDS_DEFAULT_PROFILES_FILE",
        "FASTDDS_BUILTIN_TRANSPORTS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("conegrad_nodes.middleware.transport._shortage", lambda: "")
    return monkeypatch


def test_an_empty_environment_is_in_order(environment):
    assert not troubles(examine_middleware())


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"ROS_DOMAIN_ID": "200"}, "ROS_DOMAIN_ID is '200', expected 0 to 101"),
        ({"ROS_DOMAIN_ID": "one"}, "ROS_DOMAIN_ID is 'one'"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "keeps the processes"),
        ({"RMW_IMPLEMENTATION": "rmw_other_cpp"}, "RMW_IMPLEMENTATION=rmw_other_cpp"),
        (
            {"ROS_LOCALHOST_ONLY": "1", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"},
            "ROS ignores ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET",
        ),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_its_value(environment, variables, text):
    for name, value in variables.items():
        environment.setenv(name, value)
    assert text in only(examine_middleware()).text


def test_a_profile_with_little_shared_memory_is_told(environment, tmp_path):
    path = tmp_path / "profile.xml"
    path.write_text("<dds><segment_size>65536</segment_size></dds>")
    environment.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(path))
    finding = only(examine_middleware())
    assert "65536 bytes of shared memory" in finding.text
    assert "fastdds_large_messages.xml" in finding.remedy
