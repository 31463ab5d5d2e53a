"""Scenes of standard cones, along tracks, and as files."""

import numpy as np
import pytest

from conegrad_core.cones import CONE_HEIGHTS, CONE_WIDTHS, ConeClass
from conegrad_simulation.scene.clutter import CLEAR_OF_LANE, track_scene
from conegrad_simulation.scene.scene import standard_scene
from conegrad_simulation.scene.scene_file import load_scene, save_scene
from conegrad_simulation.scene.world import World
from conegrad_simulation.track.track_random import random_track


@pytest.mark.parametrize("cone_class", [c for c in ConeClass if c != ConeClass.UNKNOWN])
def test_standard_cones_have_the_dimensions_of_the_rules(cone_class):
    scene = standard_scene(np.array([[1.0, 2.0]]), np.array([cone_class]))
    assert scene.cone_heights.tolist() == [CONE_HEIGHTS[cone_class]]
    assert scene.cone_base_sides.tolist() == [CONE_WIDTHS[cone_class]]
    assert not scene.cone_leans.any()
    assert not len(scene.obstacles)
    assert not len(scene.walls)


def test_a_cone_of_unknown_colour_is_a_small_one():
    scene = standard_scene(np.zeros((1, 2)), np.array([ConeClass.UNKNOWN]))
    assert scene.cone_heights[0] == CONE_HEIGHTS[ConeClass.BLUE]


def test_the_lane_of_a_track_is_free_of_obstacles():
    track = random_track(11)
    scene = track_scene(track, World(clutter=1.0), 4)
    assert len(scene.obstacles) > 20
    offsets = scene.obstacles[:, None, :2] - track.centre_line[None]
    # Every eighth point of the line, 0.25 m apart, is kept clear: at most 1 m between two.
    assert np.linalg.norm(offsets, axis=2).min() > CLEAR_OF_LANE - 1.0
    np.testing.assert_array_equal(scene.cone_positions, track.positions)


def test_a_scene_is_a_function_of_its_seed():
    track, world = random_track(11), World(clutter=0.5)
    first, again, other = (track_scene(track, world, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.obstacles, again.obstacles)
    np.testing.assert_array_equal(first.cone_leans, again.cone_leans)
    assert (
        first.obstacles.shape != other.obstacles.shape or (first.obstacles != other.obstacles).any()
    )


def test_an_empty_scene_comes_back_from_its_file_with_all_columns(tmp_path):
    save_scene(standard_scene(np.zeros((0, 2)), np.zeros(0)), tmp_path / "scene.json")
    scene = load_scene(tmp_path / "scene.json")
    assert scene.cone_positions.shape == (0, 2)
    assert scene.walls.shape == (0, 4)
    assert scene.cone_classes.dtype == np.int64


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cone_positions": "here"}'])
def test_a_file_that_is_not_a_scene_is_refused_by_name(tmp_path, text):
    (tmp_path / "odd.json").write_text(text)
    with pytest.raises(ValueError, match=r"odd\.json is not a scene file"):
        load_scene(tmp_path / "odd.json")
