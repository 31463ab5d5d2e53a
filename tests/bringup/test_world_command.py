"""``conegrad world make``: one scene for Gazebo and for a bag."""

import numpy as np

from conegrad_bringup.command_line import main
from conegrad_data.cone_map.cone_map_csv import read_cones
from conegrad_simulation.scene.scene_file import load_scene

MAKE = ["world", "make", "--track", "skidpad", "--vehicle", "roboracer", "--seed", "3"]


def test_gazebo_and_the_bag_get_the_same_cones(tmp_path, capsys):
    bag = tmp_path / "short.mcap"
    to_bag = ["-o", str(bag), "--seconds", "0.1", "--workers", "1"]
    assert main([*MAKE, "-o", str(tmp_path / "world"), *to_bag]) == 0
    in_gazebo = load_scene(tmp_path / "world/scene.json")
    in_bag, classes = read_cones(tmp_path / "short.mcap_track.csv")
    np.testing.assert_allclose(in_gazebo.cone_positions, in_bag, atol=0.5e-3)  # CSV: millimetres
    np.testing.assert_array_equal(in_gazebo.cone_classes, classes)
    assert "gazebo.launch.py world:=" in capsys.readouterr().out


def test_a_world_can_be_made_again_from_its_own_settings(tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    assert main([*MAKE, "-o", str(first)]) == 0
    words = ["world", "make", "--config", str(first / "scene.yaml"), "-o", str(again)]
    assert main(words) == 0
    assert (again / "scene.json").read_text() == (first / "scene.json").read_text()
    assert main(words) == 0  # replaces its own files


def test_an_unknown_kind_is_explained(tmp_path, capsys):
    assert main([*MAKE, "--to", "unreal", str(tmp_path)]) == 1
    assert "--to is 'unreal', expected one of gazebo, bag" in capsys.readouterr().err


def test_a_bag_of_the_3d_lidar_is_refused(tmp_path, capsys):
    assert main([*MAKE, "--lidar", "cloud", "-o", str(tmp_path / "a.mcap")]) == 1
    assert "planar LiDAR only" in capsys.readouterr().err
    assert not (tmp_path / "a.mcap").exists()
