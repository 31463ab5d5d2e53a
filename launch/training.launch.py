"""The training node, which trains on bags when the action ``train`` asks for it."""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration

from conegrad_bringup.launch_arguments import path_parameter, shared_argument
from conegrad_bringup.launch_environment import network
from conegrad_bringup.respawn import respawned


def generate_launch_description() -> LaunchDescription:
    """Description of one node."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("output", default_value="runs",
                                  description="Folder in which each run gets a folder of its own"),
            DeclareLaunchArgument("namespace", default_value="", description="Of the node"),
            shared_argument("network"),
            OpaqueFunction(function=network),
            OpaqueFunction(function=training_node),
        ]
    )  # fmt: skip


def training_node(context: LaunchContext) -> list[Any]:
    """The node, started again if it crashes."""
    return respawned(
        "conegrad_training",
        "training_node",
        namespace=LaunchConfiguration("namespace"),
        parameters=[{"output": path_parameter(context, "output")}],
    )
