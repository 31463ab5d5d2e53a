"""Settings of a scene, and the scene that they describe."""

import numpy as np
import pytest
import yaml

from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene, save_settings
from conegrad_simulation.track.track_csv import save_csv
from conegrad_simulation.track.track_events import acceleration


def test_the_same_settings_give_the_same_scene():
    settings = SceneSettings(track="skidpad", seed=4)
    first, again = describe_scene(settings), describe_scene(settings)
    np.testing.assert_array_equal(first.scene.cone_yaws, again.scene.cone_yaws)
    np.testing.assert_array_equal(first.scene.obstacles, again.scene.obstacles)


def test_a_small_vehicle_drives_a_small_track():
    full = describe_scene(SceneSettings(track="acceleration"))
    small = describe_scene(SceneSettings(track="acceleration", vehicle="roboracer"))
    assert full.scale == 1.0
    assert small.scale == small.vehicle.cone_spacing_scale < 1.0
    np.testing.assert_allclose(small.track.positions, small.scale * full.track.positions)


@pytest.mark.parametrize(("track_scale", "expected"), [(0.0, 1.0), (0.5, 0.5)])
def test_a_track_from_a_file_keeps_its_size_unless_it_is_scaled(tmp_path, track_scale, expected):
    path = tmp_path / "map.csv"
    save_csv(acceleration(), path)
    described = describe_scene(SceneSettings(track=str(path), track_scale=track_scale))
    assert described.scale == expected
    np.testing.assert_allclose(
        described.track.positions, expected * acceleration().positions, atol=1e-3
    )


def test_files_are_kept_by_their_absolute_paths(tmp_path, monkeypatch):
    save_csv(acceleration(), tmp_path / "map.csv")
    monkeypatch.chdir(tmp_path)
    assert describe_scene(SceneSettings(track="map.csv")).settings.track == str(
        (tmp_path / "map.csv").resolve()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"track": "monza"}, "track is 'monza'", id="track"),
        pytest.param({"world": "moon"}, "world is 'moon'", id="world"),
    ],
)
def test_an_unknown_name_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        describe_scene(SceneSettings(**changes))


def test_the_written_section_holds_the_settings_of_the_scene(tmp_path):
    settings = SceneSettings(track="skidpad", world="indoor", seed=9, movable_cones=False)
    save_settings(settings, tmp_path / "scene.yaml")
    written = yaml.safe_load((tmp_path / "scene.yaml").read_text())
    assert SceneSettings(**written["scene"]) == settings
