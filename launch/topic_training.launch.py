"""Training with each network in a process of its own: gradients over topics."""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from conegrad_bringup.launch_arguments import (
    chosen_file,
    path_parameter,
    path_text,
    shared_argument,
)
from conegrad_bringup.launch_environment import enclave, large_messages, network

MODELS = {"camera": "training_camera_node", "lidar": "training_lidar_node"}
EVERY_SAMPLE = {"reliability": "reliable", "depth": 5}


def generate_launch_description() -> LaunchDescription:
    """Description: both model nodes in training mode, and the trainer; it ends with the trainer."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Drive to learn from"),
            DeclareLaunchArgument("config", default_value="", description="YAML file of settings"),
            DeclareLaunchArgument("params_file", default_value="",
                                  description="Parameters of the model nodes"),
            DeclareLaunchArgument("output", default_value="runs/topics",
                                  description="Folder of the weights"),
            DeclareLaunchArgument("namespace", default_value="training",
                                  description="Of all nodes, apart from the car's own"),
            shared_argument("network", "false"),
            OpaqueFunction(function=network),
            OpaqueFunction(function=large_messages),
            OpaqueFunction(function=training_nodes),
        ]
    )  # fmt: skip


def training_nodes(context: LaunchContext) -> list[Any]:
    """One process per node."""
    output = path_parameter(context, "output")
    config = path_parameter(context, "config")
    own = {"bags": [path_text(context, "bag")], "config": config, "output": output}
    learning = {**EVERY_SAMPLE, "training.output": output}
    shared = [learning, *chosen_file(context, "params_file")]
    models = [_node(executable, shared) for executable in MODELS.values()]
    trainer = _node("topic_trainer", [own])
    stop = OnProcessExit(target_action=trainer, on_exit=[EmitEvent(event=Shutdown())])
    return [*models, trainer, RegisterEventHandler(stop)]


def _node(executable: str, parameters: list[Any]) -> Node:
    return Node(
        package="conegrad_training",
        executable=executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=parameters,
        ros_arguments=enclave(executable),
        output="screen",
    )
