from pathlib import Path

import pytest
import torch

from conegrad_bringup.command_line import main
from conegrad_core.camera.checkpoint import save_network
from conegrad_core.camera.head import build_network
from conegrad_training.comparison.results import read_results


def test_compares_and_goes_on_only_if_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    torch.manual_seed(1)
    detector = tmp_path / "camera.safetensors"
    save_network(
        build_network("yolov5n"), detector, architecture="yolov5n", input_size=(64, 32), half=False
    )
    arguments = [
        "compare", "-o", str(tmp_path / "out"), "--patterns", "fusion_only", "--seeds", "1",
        "--steps", "1", "--batch", "1", "--frames", "1", "--test-frames", "1",
        "--camera", str(detector), "--image-width", "64", "--image-height", "36",
        "--input-width", "64", "--input-height", "32",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert str(tmp_path / "out" / "report.html") in capsys.readouterr().out
    assert (tmp_path / "out" / "report.html").exists()
    assert main(arguments) == 1
    assert "go on with --resume" in capsys.readouterr().err
    assert main([*arguments, "--resume", "--patterns", "fusion_only", "statistics_only"]) == 0
    assert {result.pattern for result in read_results(tmp_path / "out")} == {
        "fusion_only", "statistics_only",
    }  # fmt: skip


def test_an_unknown_scenario_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["compare", "-o", str(tmp_path), "--scenarios", "snow"]) == 1
    assert "--scenarios is 'snow', expected one of" in capsys.readouterr().err
