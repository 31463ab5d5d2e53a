"""The training node, which trains on bags when the action ``train`` asks for it."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from conegrad_bringup.launch_arguments import text


def generate_launch_description() -> LaunchDescription:
    """Description of one node."""
    node = Node(
        package="conegrad_training",
        executable="training_node",
        namespace=LaunchConfiguration("namespace"),
        parameters=[{"output": text("output")}],
        output="screen",
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument("output", default_value="runs",
                                  description="Folder in which each run gets a folder of its own"),
            DeclareLaunchArgument("namespace", default_value="", description="Of the node"),
            node,
        ]
    )  # fmt: skip
