"""The launch files start what they say; skipped where launch is not installed."""

import importlib.util
from pathlib import Path

import pytest
from installed_package import brightness_package, write_brightness_pipeline

REASON = "launch and launch_ros come with apt's ROS 2, not with the wheels"
pytest.importorskip("launch_ros.actions", reason=REASON)

from launch import LaunchContext  # noqa: E402, after the check
from launch.actions import DeclareLaunchArgument  # noqa: E402
from launch.utilities import (  # noqa: E402
    normalize_to_list_of_substitutions,
    perform_substitutions,
)
from launch_ros.utilities import evaluate_parameters, normalize_parameters  # noqa: E402

from conegrad_bringup.launch_environment import enclave, network  # noqa: E402

LAUNCH = Path(__file__).parents[2] / "launch"

pytestmark = pytest.mark.ros


def load(name):
    spec = importlib.util.spec_from_file_location(name, LAUNCH / f"{name}.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def started(**arguments):
    """Executables, and what the arguments say as parameters."""
    module = load("perception")
    context = LaunchContext()
    for action in module.generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            default = perform_substitutions(context, action.default_value)
            context.launch_configurations[action.name] = arguments.get(action.name, default)
    nodes = module.perception_nodes(context, LAUNCH.parent / "config")
    executables = [
        perform_substitutions(context, normalize_to_list_of_substitutions(node.node_executable))
        for node in nodes
    ]
    values = evaluate_parameters(context, normalize_parameters([module.overrides(context)]))
    return executables, values[0]


def test_composed_is_one_process():
    assert started()[0] == ["perception"]


def test_apart_is_one_process_per_node():
    assert started(composed="false")[0] == ["camera_node", "lidar_node", "fusion_node"]


@pytest.mark.parametrize(
    ("composed", "car"),
    [("true", ["perception"]), ("false", ["camera_node", "lidar_node", "fusion_node"])],
)
def test_each_further_stage_of_a_pipeline_gets_a_stage_node(tmp_path, composed, car):
    pipeline = str(write_brightness_pipeline(tmp_path))
    with brightness_package(tmp_path / "site"):
        executables, values = started(composed=composed, pipeline=pipeline)
    assert executables == [*car, "stage_node"]
    assert values == {"pipeline": pipeline}
    assert started(composed=composed, pipeline="camera_lidar")[0] == car


@pytest.mark.parametrize(
    ("composed", "executables"),
    [("true", ["perception"]), ("false", ["fusion_node", "stage_node", "stage_node"])],
)
def test_stages_apart_have_nodes_of_their_own(composed, executables):
    assert started(composed=composed, stages="apart")[0] == executables


def test_a_vehicle_gives_the_extrinsics():
    assert started(vehicle="roboracer", use_sim_time="true")[1] == {
        "use_sim_time": True,
        "calibration.vehicle": "roboracer",
        "calibration.extrinsics": "vehicle",
    }


def test_the_name_of_a_vehicle_stays_text():
    assert started(vehicle="2026")[1]["calibration.vehicle"] == "2026"


def test_a_parameter_file_that_does_not_exist_is_refused():
    with pytest.raises(FileNotFoundError, match="params_file:=/nowhere is not a file"):
        started(params_file="/nowhere")


def test_replay_has_a_bag_and_passes_the_arguments_on():
    entities = load("replay").generate_launch_description().entities
    names = {action.name for action in entities if isinstance(action, DeclareLaunchArgument)}
    assert {"bag", "rate", "composed", "namespace", "vehicle", "rviz", "pipeline"} <= names


def test_every_argument_of_every_launch_file_is_described():
    for path in sorted(LAUNCH.glob("*.launch.py")):
        entities = load(path.name.removesuffix(".launch.py")).generate_launch_description().entities
        arguments = [action for action in entities if isinstance(action, DeclareLaunchArgument)]
        described = {
            a.name for a in arguments if a.description.strip("?. ") != "no description given"
        }
        assert described == {action.name for action in arguments}, path.name


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "car.yaml").touch()
    _, values = started(vehicle="~/car.yaml", params_file="~/car.yaml")
    assert values["calibration.vehicle"] == str(tmp_path / "car.yaml")


@pytest.mark.parametrize("composed", ["true", "false"])
def test_each_process_has_an_enclave_of_its_own_that_the_policies_know(composed):
    policy = (LAUNCH.parent / "config" / "security" / "policy.xml").read_text()
    for executable in started(composed=composed)[0]:
        name, path = enclave(executable)
        assert (name, path) == ("--enclave", f"/conegrad/{executable}")
        assert f'<enclave path="{path}">' in policy


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        ({}, "", "LOCALHOST"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "", "SUBNET"),
        ({"ROS_STATIC_PEERS": "10.0.0.2"}, "", None),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}, "false", "LOCALHOST"),
        ({}, "true", "SUBNET"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}, "true", "SUBNET"),
        ({"ROS_STATIC_PEERS": "10.0.0.2"}, "true", None),
    ],
)
def test_other_machines_are_met_where_that_is_asked_for(environment, given, expected, monkeypatch):
    for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context = LaunchContext()
    context.launch_configurations["network"] = given
    for action in network(context):
        action.execute(context)
    assert context.environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE") == expected
