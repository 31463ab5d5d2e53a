from pathlib import Path

import numpy as np
import pytest

from conegrad_bringup.command_line import main
from conegrad_bringup.commands.recording import align
from conegrad_data.cone_map.cone_map_csv import read_cones, save_cones
from conegrad_simulation.track.track_random import random_track
from conegrad_training.alignment.map_alignment import SeenCones, moved

POSE = np.array([7.0, 3.0, 2.0])


@pytest.fixture(autouse=True)
def lap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lap around a random track that saw every cone; its origin has POSE in the odometry."""
    track = random_track(3)
    path = moved(track.centre_line, POSE)
    yaws = np.arctan2(*np.gradient(path, axis=0).T[::-1])
    seen = SeenCones(moved(track.positions, POSE), track.classes, np.column_stack([path, yaws]))
    monkeypatch.setattr(align, "seen_cones", lambda *_, **__: seen)


def survey(path: Path, seed: int) -> Path:
    track = random_track(seed)
    save_cones(track.positions, track.classes, path)
    return path


def test_writes_the_map_in_the_frame_of_the_odometry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    track, output = survey(tmp_path / "survey.csv", 3), tmp_path / "aligned.csv"
    assert main(["align", "drive", "--track", str(track), "-o", str(output)]) == 0
    positions, classes = read_cones(output)
    np.testing.assert_allclose(positions, moved(random_track(3).positions, POSE), atol=2e-3)
    np.testing.assert_array_equal(classes, random_track(3).classes)
    assert output.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    # 2 rad are 114.59 degrees.
    assert "x 7.00 m, y 3.00 m, turned by 114.59 degrees" in capsys.readouterr().out


def test_a_bad_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    track, output = survey(tmp_path / "survey.csv", 4), tmp_path / "aligned.csv"
    assert main(["align", "drive", "--track", str(track), "-o", str(output)]) == 1
    assert "the map does not fit the drive" in capsys.readouterr().err
    assert not output.exists()
