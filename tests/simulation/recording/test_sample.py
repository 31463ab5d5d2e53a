"""The sample: its map is moved, its camera is knocked, and its bags hold no truth."""

import math

import numpy as np
import pytest

from conegrad_core.vehicle import load_vehicle
from conegrad_data.bags.reader import BagReader
from conegrad_data.cone_map.cone_map_csv import read_cones
from conegrad_simulation.recording.sample import (
    DRIVES,
    SURVEY,
    SampleConfig,
    knocked,
    make_sample,
    readme,
    surveyed,
)
from conegrad_simulation.track.track_random import random_track


def test_the_map_is_that_of_the_track_in_another_frame_with_small_errors():
    config = SampleConfig(seed=3, survey_error=0.02)
    track = random_track(3)
    x, y, yaw = SURVEY
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    back = surveyed(track, config) @ turn.T + [x, y]
    errors = back - track.positions
    assert np.abs(errors).max() < 0.12
    assert errors.std() == pytest.approx(0.02, rel=0.2)


def test_the_knocked_camera_looks_further_to_the_left():
    vehicle = load_vehicle("roboracer")
    turned = knocked(vehicle, 4.0).camera.mounting
    assert turned.yaw - vehicle.camera.mounting.yaw == pytest.approx(math.radians(4.0))
    assert turned.x == vehicle.camera.mounting.x


def test_the_sample_holds_what_its_readme_names(tmp_path):
    config = SampleConfig(seconds=0.5, camera_rate=2.0)
    vehicle = load_vehicle("roboracer")
    made = make_sample(tmp_path, vehicle, config)
    names = [drive.name for drive in DRIVES]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.txt", "clear", "cones.csv",
                                                               "dusk", "knocked"]  # fmt: skip
    transforms = []
    for bag in made:
        with BagReader(bag.path) as reader:
            assert "/truth" not in reader.topics
            assert {"/scan", "/odom", "/camera_info"} <= set(reader.topics)
            transforms += [str(msg) for _, _, msg in reader.messages(["/tf_static"])]
    assert transforms[0] == transforms[2]  # the bag of the knocked camera says nothing of it
    assert len(read_cones(tmp_path / "cones.csv")[0]) > 20
    assert all(name in readme(config) for name in names)
    assert "4 degrees" in (tmp_path / "README.txt").read_text()
