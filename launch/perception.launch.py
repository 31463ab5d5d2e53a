"""Camera, LiDAR and fusion nodes, in one process or apart."""

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from conegrad_bringup.launch_arguments import chosen_file, text

NODES = ("camera_node", "lidar_node", "fusion_node")


def generate_launch_description() -> LaunchDescription:
    """Description of the graph."""
    config = get_package_share_path("conegrad_bringup") / "config"
    time: dict[Any, Any] = {"use_sim_time": LaunchConfiguration("use_sim_time")}
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),  # its topics are relative
        arguments=["-d", str(config / "perception.rviz")],
        parameters=[time],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    foxglove = Node(
        package="foxglove_bridge",
        executable="foxglove_bridge",
        parameters=[time],
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
            DeclareLaunchArgument("image_transport", default_value="",
                                  choices=["", "raw", "compressed"],
                                  description="Of the images; empty: as the parameters say"),
            DeclareLaunchArgument("input", default_value="", choices=["", "scan", "points"],
                                  description="Of the LiDAR; empty: as the parameters say"),
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
    parameters: list[Any] = [*files, *chosen_file(context, "params_file")]
    if values := overrides(context):
        parameters.append(values)
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
    """What the arguments ask for, as parameters; they take precedence over all files."""
    values: dict[str, Any] = {}
    if LaunchConfiguration("use_sim_time").perform(context) == "true":
        values["use_sim_time"] = True
    if LaunchConfiguration("vehicle").perform(context):
        values["calibration.vehicle"] = text("vehicle")
        values["calibration.extrinsics"] = "vehicle"
    for name in ("image_transport", "input"):
        if LaunchConfiguration(name).perform(context):
            values[name] = text(name)
    return values
