"""The command line: what it prints, and with which exit code it ends."""

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from warm_python import finished

from conegrad_bringup.command_line import COMMANDS, main
from conegrad_data.bags import messages
from conegrad_data.bags.reader import BagReader
from conegrad_data.bags.writer import BagWriter


@pytest.fixture
def bag(tmp_path):
    """Two images at 10 Hz without camera_info, and nothing else."""
    with BagWriter(tmp_path / "bag") as writer:
        for index in range(2):
            stamp = 10**18 + index * 10**8
            image = messages.image_msg(stamp, "eye", np.zeros((4, 6, 3), dtype=np.uint8))
            writer.write("/front/image_raw", "sensor_msgs/msg/Image", stamp + 7_000_000, image)
    return tmp_path / "bag"


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    for name, command in COMMANDS.items():
        assert f"{name} " in text
        assert command.summary in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*name.split(), "--help"])
    assert ended.value.code == 0
    assert f"usage: conegrad {name}" in capsys.readouterr().out


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(capsys):
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("fly", "conegrad: command 'fly' is unknown, expected one of demo, simulate, "),
        ("evalute bag", "conegrad: command 'evalute' is unknown, did you mean evaluate?\n"),
        ("--debgu info x", "conegrad: option --debgu is unknown, did you mean --debug?\n"),
        ("train --patern x", "conegrad train: option --patern is unknown, did you mean --pattern?"),
        ("info --zzzz=4 x", "conegrad info: option --zzzz is unknown, expected one listed by --he"),
        ("simulate", "conegrad simulate: the following arguments are required: -o/--output\n"),
    ],
)
def test_wrong_usage_is_answered_in_two_lines_with_what_was_meant(words, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(text)
    assert error.count("\n") == 2
    assert " --help'.\n" in error


def test_options_may_be_shortened_and_end_with_two_dashes(bag, capsys):
    assert main(["info", "--", str(bag)]) == 0
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "--hel"])
    assert ended.value.code == 0


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"conegrad {version('conegrad_bringup')}\n"


def test_help_comes_without_importing_models():
    program = (
        "import sys; from conegrad_bringup.command_line import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'rclpy')))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert result.returncode == 0


def test_a_known_error_is_one_line_and_exit_code_1(tmp_path, capsys):
    assert main(["info", str(tmp_path / "missing")]) == 1
    captured = capsys.readouterr()
    assert captured.err == f"conegrad: {tmp_path / 'missing'}: no such bag\n"
    assert captured.out == ""


@pytest.mark.parametrize("command", ["perceive x -o y", "demo -o y", "drive -o y"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("ROS_AUTOMATIC_DISCOVERY_RANGE", "OFF"), ("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp")],
)
def test_nodes_that_could_not_meet_are_refused_before_anything_starts(
    command, name, value, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    assert main(command.split()) == 1
    assert capsys.readouterr().err.startswith(f"conegrad: {name}={value} ")
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where_an_error_comes_from(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such bag"):
        main(["--debug", "info", str(tmp_path / "missing")])


def test_info_tells_topics_and_what_is_missing(bag, capsys):
    assert main(["info", str(bag)]) == 0
    text = capsys.readouterr().out
    assert "/front/image_raw" in text
    assert "6x4 rgb8; in eye" in text
    assert "no LiDAR\n  -> cones come from the camera alone" in text
    assert "no camera_info" in text
    assert "no truth" in text


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_nobody_reads_ends_the_command_silently(bag, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "conegrad_bringup.command_line", "info", str(bag)],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (141, b"")  # as of a tool that SIGPIPE ends


def test_info_as_json_is_for_programs(bag, capsys):
    assert main(["info", str(bag), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    topic = told["topics"]["/front/image_raw"]
    assert (topic["count"], topic["rate"]) == (2, pytest.approx(10.0))
    assert topic["delay"] == pytest.approx(0.007)
    assert told["roles"] == {"image": "/front/image_raw"}


def test_simulate_writes_a_bag_and_says_so(tmp_path, capsys):
    words = ["--seconds", "0.1", "--vehicle", "roboracer", "--workers", "1", "--seed", "5"]
    assert main(["simulate", "-o", str(tmp_path / "drive"), *words]) == 0
    assert f"{tmp_path / 'drive'}: 0.1 s" in capsys.readouterr().out
    with BagReader(tmp_path / "drive") as made:
        assert made.topics["/scan"].count == 4
    assert (tmp_path / "drive_track.csv").exists()


def test_simulate_does_not_overwrite(bag, capsys):
    assert main(["simulate", "-o", str(bag), "--seconds", "0.1", "--workers", "1"]) == 1
    assert "exists already, not overwriting: --force replaces it" in capsys.readouterr().err


def test_an_older_bag_is_replaced_when_asked_for(bag, capsys):
    words = ["--seconds", "0.1", "--vehicle", "roboracer", "--workers", "1", "--force"]
    assert main(["simulate", "-o", str(bag), *words]) == 0
    with BagReader(bag) as made:
        assert "/front/image_raw" not in made.topics
        assert "/scan" in made.topics


def test_what_is_no_bag_is_never_replaced(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main(["simulate", "-o", str(tmp_path), "--seconds", "0.1", "--force"]) == 1
    assert "is not a bag: not replaced" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_a_setting_out_of_bounds_is_named(tmp_path, capsys):
    assert main(["simulate", "-o", str(tmp_path / "drive"), "--speed", "-3"]) == 1
    error = capsys.readouterr().err
    assert error == "conegrad: --speed is -3.0, expected a value in [0.1, 60.0]\n"


@pytest.mark.parametrize(
    "words", [["demo", "--seconds", "0"], ["world", "make", "--seconds", "0", "-o", "x.mcap"]]
)
def test_a_setting_of_another_command_is_named_as_it_was_typed(words, tmp_path, capsys):
    assert main([*words, *(["-o", str(tmp_path / "out")] if words[0] == "demo" else [])]) == 1
    assert "conegrad: --seconds is 0.0, expected a value in" in capsys.readouterr().err


@pytest.mark.parametrize("layout", ["folder", "fskitti"])
def test_import_of_a_folder_that_is_missing_says_so(tmp_path, capsys, layout):
    missing, bag = tmp_path / "missing", tmp_path / "bag"
    assert main(["import", layout, str(missing), "-o", str(bag)]) == 1
    assert f"{missing}: no such folder" in capsys.readouterr().err
    assert not bag.exists()


def test_import_of_a_folder_without_calibration_says_what_to_do(tmp_path, capsys):
    assert main(["import", "folder", str(tmp_path), "-o", str(tmp_path / "bag")]) == 1
    assert "calibration.yaml is missing: copy config/vehicles/" in capsys.readouterr().err


def test_a_part_of_a_sequence_that_is_none_is_named(tmp_path, capsys):
    words = ["import", "fskitti", str(tmp_path), "-o", str(tmp_path / "bag"), "--part", "first"]
    assert main(words) == 1
    assert "--part first: expected FIRST:END, such as :8 or 8:" in capsys.readouterr().err


def test_evaluate_of_a_bag_without_cones_says_so(bag, capsys):
    assert main(["evaluate", str(bag)]) == 1
    assert "cones" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("imgae=/front/image_raw", "imgae=/front/image_raw: no such role, expected one of image,"),
        ("image=7", "--topic image=7: expected the name of a topic of the bag"),
    ],
)
def test_a_topic_that_cannot_play_its_role_is_refused(bag, tmp_path, capsys, word, message):
    assert main(["perceive", str(bag), "-o", str(tmp_path / "out"), "--topic", word]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sample_does_not_clear_what_was_made_of_it(tmp_path, capsys):
    (tmp_path / ".conegrad-sample").touch()
    (tmp_path / "mlruns").mkdir()
    assert main(["sample", "-o", str(tmp_path), "--force"]) == 1
    assert f"{tmp_path} holds mlruns, which is not of the sample" in capsys.readouterr().err
    assert (tmp_path / "mlruns").exists()


def test_demo_does_not_clear_a_folder_of_something_else(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious")
    assert main(["demo", "-o", str(tmp_path)]) == 1
    assert "was not made by this command" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_value_of_the_wrong_type_is_one_line_and_the_older_bag_stays(bag, capsys):
    words = ["perceive", str(bag), "-o", str(bag), "--force", "--set", "detector.threads=abc"]
    assert main(words) == 1
    expected = "conegrad: parameter detector.threads is 'abc', expected a whole number\n"
    assert capsys.readouterr().err == expected
    assert bag.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing"], "no such bag"),
        (["bag", "--topic", "imgae=/front/image_raw"], "imgae"),
        (["bag"], "has no camera_info that can be used"),
        (["bag", "--vehicle", "roboracer", "-o", "bag"], "bag is what is read: not replaced"),
        (["bag", "--vehicle", "roboracer", "-o", "."], "is what is read: not replaced"),
    ],
    ids=["no bag", "no such role", "no calibration", "the bag itself", "its folder"],
)
def test_an_older_bag_stays_where_a_drive_cannot_be_perceived(
    bag, tmp_path, capsys, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bag, "older")
    before = sorted(Path().rglob("*"))
    assert main(["perceive", "-o", "older", "--force", *words]) == 1
    assert message in capsys.readouterr().err
    assert sorted(Path().rglob("*")) == before


@pytest.fixture
def cut_bag(bag):
    """The same without the end of its file."""
    file = next(bag.glob("*.mcap"))
    file.write_bytes(file.read_bytes()[:-40])
    return bag


@pytest.mark.parametrize("command", ["info", "evaluate"])
def test_what_is_wrong_with_a_bag_is_told_once(command, cut_bag):
    words = [sys.executable, "-m", "conegrad_bringup.command_line", command, str(cut_bag)]
    done = finished(words, timeout=120)
    assert (done.stdout + done.stderr).count("damaged or cut short") == 1
