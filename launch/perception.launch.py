"""Camera, LiDAR and fusion nodes, in one process or apart."""

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

NODES = ("camera_node", "lidar_node", "fusion_node")


def generate_launch_description() -> LaunchDescription:
    """Description of the graph."""
    config = get_package_share_path("conegrad_bringup") / "config"
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", str(config / "perception.rviz")],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    foxglove = Node(
        package="foxglove_bridge",
        executable="foxglove_bridge",
        condition=IfCondition(LaunchConfiguration("foxglove")),
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument("composed", default_value="true", choices=["true", "false"],
                                  description="All nodes in one process"),
            DeclareLaunchArgument("namespace", default_value="", description="Of all nodes"),
            DeclareLaunchArgument("use_sim_time", default_value="false",
                                  choices=["true", "false"], description="Time from /clock"),
            DeclareLaunchArgument("params_file", default_value="",
                                  description="Parameters that replace those of config/"),
            DeclareLaunchArgument("vehicle", default_value="",
                                  description="Preset, by name or path, with the extrinsics; "
                                  "empty: as the parameters say"),
            DeclareLaunchArgument("rviz", default_value="false", choices=["true", "false"],
                                  description="Start RViz"),
            DeclareLaunchArgument("foxglove", default_value="false", choices=["true", "false"],
                                  description="Start the bridge to Foxglove"),
            OpaqueFunction(function=perception_nodes, args=[config]),
            rviz,
            foxglove,
        ]
    )  # fmt: skip


def perception_nodes(context: LaunchContext, config: Path) -> list[Node]:
    """The processes; executables have the names of the nodes."""
    is_composed = LaunchConfiguration("composed").perform(context) == "true"
    files = [str(config / f"{name}.yaml") for name in NODES]
    parameters: list[Any] = [*files, overrides(context)]
    if params_file := LaunchConfiguration("params_file").perform(context):
        parameters.append(params_file)
    return [
        Node(
            package="conegrad_nodes",
            executable=executable,
            namespace=LaunchConfiguration("namespace"),
            parameters=parameters,
            output="screen",
        )
        for executable in (["perception"] if is_composed else NODES)
    ]


def overrides(context: LaunchContext) -> dict[str, Any]:
    """What the arguments say, as parameters."""
    is_simulated = LaunchConfiguration("use_sim_time").perform(context) == "true"
    values: dict[str, Any] = {"use_sim_time": is_simulated}
    if vehicle := LaunchConfiguration("vehicle").perform(context):
        values["calibration.vehicle"] = vehicle
        values["calibration.extrinsics"] = "vehicle"
    return values
