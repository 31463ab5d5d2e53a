"""Where the shipped weights lie."""

import pytest

from conegrad_core import weights
from conegrad_core.weights import default_weights


def test_names_the_file_of_a_part(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    (tmp_path / "yolov5n_cones.safetensors").touch()
    assert default_weights("camera") == tmp_path / "yolov5n_cones.safetensors"


def test_says_what_to_do_where_the_file_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "WEIGHTS_FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match="set the parameter 'weights'"):
        default_weights("camera")


def test_refuses_another_part():
    with pytest.raises(ValueError, match="part is 'radar', expected one of"):
        default_weights("radar")
