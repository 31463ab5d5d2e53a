"""``conegrad drive``: the closed loop as people start it, for a few seconds."""

import itertools
import json

import pytest
import yaml

from conegrad_bringup.command_line import main
from conegrad_core.presets import find_preset
from conegrad_data.bags.reader import BagReader
from conegrad_simulation.recording.sensor_messages import START_NS

pytestmark = [pytest.mark.ros, pytest.mark.slow]

SECOND = 1_000_000_000


@pytest.fixture
def vehicle(tmp_path):
    """A race car with a small camera, which renders fast."""
    values = yaml.safe_load(find_preset("vehicles", "formula_student").read_text())
    values["camera"] |= {"width": 640, "height": 360}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(values))
    return str(path)


def test_a_car_drives_on_perceived_cones_and_survives_the_loss_of_the_camera(
    tmp_path, vehicle, capfd, domain
):
    output = tmp_path / "lap"
    words = ["drive", "-o", str(output), "--vehicle", vehicle, "--seed", "4"]
    words += ["--camera-rate", "10", "--camera-lost", "1.5", "2.5", "--max-seconds", "3"]
    assert main(words) == 3  # not a whole lap

    assert "not finished within 3 s" in capfd.readouterr().out
    figures = json.loads((output / "drive.json").read_text())
    assert figures["cones_touched"] == 0
    assert figures["driven"] > 5.0
    assert figures["lateral_max"] < 0.5
    assert figures["answers_given_up"] == {}
    assert figures["f1_colour"] > 0.5
    report = (output / "report" / "report.html").read_text()
    assert "The drive" in report
    assert "Perception during the drive" in report
    assert (output / "lap.gif").stat().st_size < 2_000_000

    with BagReader(output / "drive") as bag:
        assert {"/odom", "/scan", "/truth", "/cones", "/cmd_vel", "/tf_static"} <= set(bag.topics)
        cones = list(bag.messages(["/cones"]))
        commands = list(bag.messages(["/cmd_vel"]))
    alone = [(t - START_NS) / SECOND for _, t, msg in cones if not msg.camera_used]
    assert alone
    assert min(alone) > 1.5
    assert max(alone) < 2.7
    driving = [(t - START_NS) / SECOND for _, t, msg in commands if msg.linear.x > 0]
    # It never stops once it drives, not even while the camera is given up.
    assert max(b - a for a, b in itertools.pairwise(driving)) < 0.25


def test_an_earlier_lap_stays_unless_forced_and_whatever_is_mistyped(tmp_path, capsys):
    lap = tmp_path / "lap"
    lap.mkdir()
    for name in (".conegrad-drive", "drive.json"):
        (lap / name).touch()
    words = ["drive", "-o", str(lap), "--track", "acceleration"]
    assert main(words) == 1
    assert "holds an earlier result: choose another folder, or --force" in capsys.readouterr().err
    for option, name in (("--set-driver", "pursuit.sped=5.0"), ("--set", "detector.engin=onnx")):
        assert main([*words, "--force", option, name]) == 1
        assert "is unknown, did you mean" in capsys.readouterr().err
    assert main([*words, "--force", "--set-driver", "pursuit.speed=fast"]) == 1
    assert "pursuit.speed is 'fast', expected a finite number" in capsys.readouterr().err
    assert (lap / "drive.json").exists()


def test_what_is_wrong_with_the_arguments_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "notes.txt").touch()
    assert main(["drive", "-o", str(tmp_path), "--seed", "4"]) == 1
    assert "is not empty and was not made by this command" in capsys.readouterr().err
    assert main(["drive", "-o", str(tmp_path / "a"), "--lidar-lost", "5", "4"]) == 1
    assert "--lidar-lost is (5.0, 4.0), expected its start and its end" in capsys.readouterr().err
    assert main(["drive", "-o", str(tmp_path / "a"), "--fault", "no_scan@5-4"]) == 1
    assert "expected NAME[:SEVERITY][@START-END]" in capsys.readouterr().err
    assert main(["drive", "-o", str(tmp_path / "a"), "--fault", "image_mudd"]) == 1
    assert "image_mudd" in capsys.readouterr().err
    assert main(["drive", "-o", str(tmp_path / "a"), "--set", "detector.engin=onnx"]) == 1
    assert "did you mean detector.engine?" in capsys.readouterr().err
