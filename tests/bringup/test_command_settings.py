"""Every command takes its settings from a file, and prints such a file."""

import argparse
import importlib

import pytest
import yaml

from conegrad_bringup.command_line import COMMANDS, ERROR_CODES, main

# One setting of each command: words that give it, and where it stands in a file.
WORDS = {
    "demo": (["--seconds", "3"], ("bag", "seconds", 3.0)),
    "simulate": (["--speed", "7"], ("drive", "speed", 7.0)),
    "drive": (["--world", "indoor"], ("scene", "world", "indoor")),
    "world": (["--seed", "9"], ("scene", "seed", 9)),
    "import": (["--part", ":8"], (None, "part", ":8")),
    "look": (["--tilt", "8"], ("mounting", "tilt", 8.0)),
    "doctor": (["--seconds", "9"], (None, "seconds", 9.0)),
    "monitor fit": (["--every", "3"], (None, "every", 3)),
    "monitor check": (["--every", "3"], (None, "every", 3)),
    "sample": (["--knock", "2"], ("sample", "knock", 2.0)),
    "export": (["--every", "3"], (None, "every", 3)),
    "robustness": (["--every", "3"], (None, "every", 3)),
    "attack": (["--steps", "3"], (None, "steps", 3)),
    "info": (["--topic", "image=/a"], (None, "topic", ["image=/a"])),
    "perceive": (["--rate", "2"], ("play", "rate", 2.0)),
    "view": (["--view-port", "9000"], ("view", "view_port", 9000)),
    "pipeline": (["--load"], (None, "load", True)),
    "system log": (["--note", "rain"], (None, "note", "rain")),
    "system list": (["--store", "s"], (None, "store", "s")),
    "system show": (["--key", "pub"], (None, "key", "pub")),
    "system diff": (["--width", "20"], (None, "width", 20)),
    "system promote": (["--alias", "candidate"], (None, "alias", "candidate")),
    "system rollback": (["--alias", "candidate"], (None, "alias", "candidate")),
    "system export": (["--sign", "key"], (None, "sign", "key")),
    "system import": (["--no-tracking"], ("tracking", "tracking", False)),
    "system parameters": (["--monitor", "m"], (None, "monitor", "m")),
    "system gate": (["--every", "3"], (None, "every", 3)),
    "system verify": (["--key", "pub"], (None, "key", "pub")),
    "attribute": (["--vehicle", "roboracer"], (None, "vehicle", "roboracer")),
    "evaluate": (["--max-range", "9"], (None, "max_range", 9.0)),
    "sweep": (["--trials", "9"], (None, "trials", 9)),
    "cross": (["--simulated", "9"], (None, "simulated", 9)),
    "align": (["--vehicle", "roboracer"], (None, "vehicle", "roboracer")),
    "train": (["--steps", "9"], ("run", "steps", 9)),
    "compare": (["--seeds", "4", "5"], (None, "seeds", [4, 5])),
    "forecast": (["--probe-frames", "9"], ("forecast", "probe_frames", 9)),
    "train-camera": (["--steps", "9"], (None, "steps", 9)),
    "train-lidar": (["--steps", "9"], (None, "steps", 9)),
    "train-keypoints": (["--steps", "9"], (None, "steps", 9)),
    "train-colours": (["--steps", "9"], (None, "steps", 9)),
}


def printed(capsys, *words):
    assert main([*words, "--print-config"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_are_printed_as_a_file_that_gives_them_again(command, capsys, tmp_path):
    words, (group, name, value) = WORDS[command]
    text = printed(capsys, *command.split(), *words)
    content = yaml.safe_load(text)
    assert (content[group] if group else content)[name] == value
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    assert printed(capsys, *command.split(), "--config", str(path)) == text
    full_name = f"{group}.{name}" if group else name
    assert printed(capsys, *command.split(), "--set", f"{full_name}={value}") == text
    assert printed(capsys, *command.split()) != text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_setting_in_a_file_is_named_with_its_line(command, capsys, tmp_path):
    _, (group, name, _) = WORDS[command]
    path = tmp_path / "settings.yaml"
    path.write_text(f"\n{group}:\n  {name}: {{}}\n" if group else f"\n\n{name}: {{}}\n")
    code = main([*command.split(), "--config", str(path), "--print-config"])
    assert code == ERROR_CODES.get(command, 1)
    full_name = f"{group}.{name}" if group else name
    assert f"{path}:3: {full_name} is {{}}, expected " in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_no_two_settings_of_a_command_have_one_option(command):
    parser = argparse.ArgumentParser()  # refuses an option that it has
    module = importlib.import_module(f"conegrad_bringup.commands.{COMMANDS[command].module}")
    module.add_arguments(parser)
    assert module.SETTINGS.groups


def test_parameters_of_nodes_stand_in_the_file_as_well(capsys, tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("detector:\n  engine: onnx\n  thread: 2\n")
    assert main(["perceive", "--config", str(path), "--print-config"]) == 1
    expected = f"{path}:3: parameter detector.thread is unknown, did you mean detector.threads?"
    assert expected in capsys.readouterr().err
    path.write_text("detector: {engine: onnx}\ndriver: {pursuit: {speed: 5}}\n")
    text = printed(capsys, "drive", "--config", str(path))
    assert yaml.safe_load(text)["detector.engine"] == "onnx"
    assert yaml.safe_load(text)["driver"] == {"pursuit.speed": 5.0}


def test_a_file_of_a_goal_serves_the_command(capsys, tmp_path):
    path = tmp_path / "goal.yaml"
    path.write_text("run: {steps: 3}\ndata: {test_share: 0.5}\nevaluation: {max_range: 8}\n")
    content = yaml.safe_load(printed(capsys, "train", "--config", str(path)))
    assert content["run"]["steps"] == 3
    assert content["data"]["test_share"] == 0.5
    assert content["evaluation"]["max_range"] == 8.0


def test_parameters_of_nodes_are_those_of_the_pipeline(capsys):
    words = ["perceive", "--set", "keypoints.threads=2"]
    assert "keypoints.threads: 2" in printed(capsys, *words, "--pipeline", "camera_keypoints")
    assert main([*words, "--print-config"]) == 1
    assert "parameter keypoints.threads is unknown" in capsys.readouterr().err


def test_a_file_of_version_0_1_is_read_under_the_names_of_today(capsys, tmp_path, caplog):
    path = tmp_path / "old.yaml"
    path.write_text(
        "system: {camera: a.safetensors}\noptimizer: {lidar_rate: 0.25}\n"
        "pattern: {pattern: partial_lidar}\n"
    )
    content = yaml.safe_load(printed(capsys, "train", "--config", str(path)))
    assert content["system"]["weights"] == ["detector=a.safetensors"]
    assert content["optimizer"]["rates"] == ["segmenter=0.25"]
    assert content["pattern"]["pattern"] == "partial"
    assert content["pattern"]["stages"] == ["segmenter"]
    assert "system.camera is now system.weights detector=a.safetensors" in caplog.text
