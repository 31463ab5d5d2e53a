"""The Gazebo launch file starts what it says; skipped where launch is not installed."""

import importlib.util
from pathlib import Path

import pytest
import yaml

REASON = "launch and launch_ros come with apt's ROS 2, not with the wheels"
pytest.importorskip("launch_ros.actions", reason=REASON)

from launch import LaunchContext  # noqa: E402, after the check
from launch.actions import DeclareLaunchArgument  # noqa: E402
from launch.utilities import (  # noqa: E402
    normalize_to_list_of_substitutions,
    perform_substitutions,
)

ROOT = Path(__file__).parents[2]
BRIDGED = {
    bridge["ros_topic_name"]
    for bridge in yaml.safe_load((ROOT / "config/gazebo_bridge.yaml").read_text())
}

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def gazebo():
    path = ROOT / "launch/gazebo.launch.py"
    spec = importlib.util.spec_from_file_location("gazebo_launch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    from conegrad_simulation.gazebo.export import export_gazebo_world
    from conegrad_simulation.scene.scene_settings import SceneSettings, describe_scene

    folder = tmp_path_factory.mktemp("world") / "export"
    export_gazebo_world(describe_scene(SceneSettings(vehicle="roboracer", lidar="cloud")), folder)
    return folder


def context_of(module, **arguments):
    context = LaunchContext()
    for action in module.generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            parts = action.default_value
            default = perform_substitutions(context, parts) if parts else ""
            context.launch_configurations[action.name] = arguments.get(action.name, default)
    return context


def text(context, value):
    return perform_substitutions(context, normalize_to_list_of_substitutions(value))


def recorded(module, context, lidar):
    (process,) = module.recorder(context, lidar)
    words = [perform_substitutions(context, list(word)) for word in process.cmd]
    return words[words.index("--topics") + 1 :]


def test_perception_is_on_and_driver_and_recorder_are_off(gazebo):
    context = context_of(gazebo)
    assert context.launch_configurations["perception"] == "true"
    assert context.launch_configurations["driver"] == "false"
    assert gazebo.recorder(context, "planar") == []


def test_bridge_frames_and_truth_are_started(gazebo, world):
    context = context_of(gazebo, world=str(world))
    settings = gazebo.world_settings(world)
    nodes = gazebo.bridge_and_frames(world, settings, ROOT / "config")
    assert [text(context, node.node_executable) for node in nodes] == [
        "parameter_bridge",
        "robot_state_publisher",
        "truth_node",
    ]
    assert (settings["vehicle"], settings["lidar"]) == ("roboracer", "cloud")


def test_a_folder_without_a_world_is_refused(gazebo, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no world\.sdf, expected a folder made by"):
        gazebo.world_settings(tmp_path)


def test_a_world_of_an_earlier_version_is_refused(gazebo, tmp_path):
    for name in ("world.sdf", "scene.json", "car.urdf"):
        (tmp_path / name).touch()
    (tmp_path / "scene.yaml").write_text("track: random\n")
    with pytest.raises(ValueError, match="has no section scene: make the world again"):
        gazebo.world_settings(tmp_path)


def test_the_recorder_takes_the_sensors_of_the_car_and_the_truth(gazebo):
    topics = recorded(gazebo, context_of(gazebo, record="lap"), "cloud")
    assert {"/image_raw", "/points", "/truth", "/tf_static"} <= set(topics)
    assert "/scan" not in topics
    ours = {"/truth", "/tf_static", "/detections", "/segmentation", "/cones"}
    assert {t.removeprefix("/") for t in set(topics) - ours} <= {t.lstrip("/") for t in BRIDGED}


def test_the_recorder_follows_the_namespace(gazebo):
    topics = recorded(gazebo, context_of(gazebo, record="lap", namespace="/car1"), "planar")
    assert {"/clock", "/tf", "/car1/scan", "/car1/truth/odom"} <= set(topics)
