import json
from pathlib import Path

import pytest
import torch

from conegrad_bringup.command_line import main
from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "camera.safetensors"
    save_network(
        build_network("yolov5n"), path, architecture="yolov5n", input_size=(64, 32), half=False
    )
    return path


def test_trains_resumes_and_says_where_the_weights_are(
    detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = [
        "train", "--simulated", "2", "--level", "clear", "-o", str(tmp_path / "run"),
        "--camera", str(detector), "--input-width", "64", "--input-height", "32",
        "--batch", "1", "--workers", "0", "--evaluation-frames", "1", "--steps", "2",
        "--pattern", "partial_lidar", "--loss", "recall_weight=1.5", "--augment", "mirror=0",
        "--no-tracking",
    ]  # fmt: skip
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("trains on 2 of 2 frames, evaluates on 1 of 2\n")
    assert "f1_colour" in printed
    assert str(tmp_path / "run" / "scan_cnn.safetensors") in printed
    settings = json.loads((tmp_path / "run" / "run.json").read_text())["settings"]
    assert settings["loss.recall_weight"] == 1.5
    assert settings["augmentation.mirror"] == 0
    assert (settings["pattern.pattern"], settings["pattern.stages"]) == ("partial", ["segmenter"])

    assert main(arguments) == 1
    assert "resume that run (--resume)" in capsys.readouterr().err
    assert main([*arguments, "--resume"]) == 0


def test_a_run_that_is_refused_leaves_no_folder(
    detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["train", "--simulated", "1", "--camera", str(detector), "--no-tracking"]
    wrong = ["--level", "foggy", "--input-width", "64", "--input-height", "32"]
    assert main([*arguments, *wrong, "-o", str(tmp_path / "runs" / "first")]) == 1
    assert "level is 'foggy', expected one of" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_unknown_pattern_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "-o", str(tmp_path / "run"), "--pattern", "all"]) == 1
    assert "pattern is 'all', expected one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "word", "hint"),
    [
        ("--loss", "gat=2", "did you mean gate?"),
        ("--augment", "foo=1", "expected one of"),
        ("--reduction", "car_ahed=2", "did you mean car_ahead?"),
    ],
)
def test_an_unknown_setting_is_named_with_those_that_exist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, word: str, hint: str
):
    assert main(["train", "bag", "-o", str(tmp_path / "run"), option, word]) == 1
    name = word.partition("=")[0]
    assert f"{option} {name} is unknown, {hint}" in capsys.readouterr().err
