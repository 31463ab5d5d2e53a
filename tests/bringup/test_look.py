"""The command ``conegrad look``."""

import math

import cv2
import numpy as np
import pytest

from conegrad_bringup.command_line import main
from conegrad_bringup.commands.look import tilt_hint
from conegrad_evaluation.pictures.seen_picture import RoughMounting


def test_pictures_are_drawn_and_counted_and_a_broken_one_is_named(tmp_path, capsys, caplog):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "grey.png"), np.full((64, 96, 3), 90, dtype=np.uint8))
    (pictures / "broken.png").write_bytes(b"no")
    output = tmp_path / "seen"
    words = ["look", str(pictures), "-o", str(output), "--engine", "torch"]
    size = ["--input-width", "96", "--input-height", "64"]
    assert main([*words, *size]) == 0
    out = capsys.readouterr().out
    assert "1 pictures: 0 blue" in out
    assert "1 files could not be read" in out
    assert "broken.png cannot be read as a picture" in caplog.text
    assert (output / "index.html").is_file()
    assert main([*words, *size]) == 1
    assert "is not empty: choose another folder, or --force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("degrees", "count", "hint"),
    [(16.0, 9, "looks down by 16 degrees"), (1.0, 9, ""), (16.0, 3, "")],
)
def test_another_tilt_is_proposed_where_enough_boxes_fit_it(degrees, count, hint):
    found = tilt_hint([math.radians(degrees)] * count, RoughMounting(height=1.0))
    assert hint in found
    assert bool(found) == bool(hint)
