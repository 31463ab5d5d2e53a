"""Images, compose file, unit and the check of wheels: what can be checked without Docker."""

import argparse
import configparser
import re
import shlex
from pathlib import Path

import check_wheels
import pytest
import yaml

from conegrad_bringup.commands.training import train

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = (DOCKER / "compose.yaml").read_text()


def services():
    """Services of the compose file, with the defaults of its variables."""
    filled = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE)
    return yaml.safe_load(filled)["services"]


def launched(command):
    """Launch file and arguments of a command, or None."""
    words = shlex.split(command)
    if words[:3] != ["ros2", "launch", "conegrad_bringup"]:
        return None
    return words[3], {word.partition(":=")[0] for word in words[4:]}


def test_an_image_takes_nothing_that_is_generated():
    ignored = {
        line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line[0] != "#"
    }
    kept_out = (ROOT / ".dockerignore").read_text().splitlines()
    hidden_caches = {name for name in ignored if re.fullmatch(r"\..*_cache", name)}
    missing = {name for name in ignored - hidden_caches if f"**/{name}" not in kept_out}
    assert missing - set(kept_out) == set()
    assert "**/.*_cache" in kept_out


@pytest.mark.parametrize("path", sorted(DOCKER.glob("*ockerfile")), ids=lambda path: path.name)
def test_an_image_copies_what_exists_and_stops_where_it_cannot_perceive(path):
    text = path.read_text()
    sources = re.findall(r"^COPY (?:--\S+ )*(\S+) \S+$", text, re.MULTILINE)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert "/entrypoint.sh python docker/check_models.py" in text


def test_services_start_launch_files_and_arguments_that_exist():
    commands = [service["command"] for service in services().values()]
    found = [parts for command in commands if (parts := launched(command))]
    assert len(found) == 2
    for name, arguments in found:
        text = (ROOT / "launch" / name).read_text()
        assert [argument for argument in arguments if f'"{argument}"' not in text] == []


def test_the_training_service_is_a_command_that_is_understood():
    words = shlex.split(services()["training"]["command"])
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    options = parser.parse_args(words[2:])
    assert words[:2] == ["conegrad", "train"]
    assert str(options.output) == "/runs/first"


def test_mlflow_is_reached_from_its_machine_alone():
    assert services()["mlflow"]["ports"] == ["127.0.0.1:5000:5000"]


def test_the_unit_starts_the_launch_file_and_stops_it_as_a_person_would():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(DOCKER / "conegrad.service")
    service = unit["Service"]
    assert "car/install/setup.bash && exec ros2 launch" in service["ExecStart"]
    assert service["KillSignal"] == "SIGINT"


def test_pins_are_those_of_the_machine_without_ros():
    text = "open3d-cpu==1 ; platform_machine != 'aarch64'\n"
    text += "open3d==1 ; platform_machine == 'aarch64'"
    text += "\n    # via nothing\nros-rclpy==7\ntomli==2 ; python_full_version < '3.11'\n"
    assert [pin.name for pin in check_wheels.pins(text, "aarch64", "3.12")] == ["open3d"]
    assert [pin.name for pin in check_wheels.pins(text, "x86_64", "3.12")] == ["open3d-cpu"]
