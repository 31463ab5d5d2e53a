"""Camera, LiDAR and fusion nodes, in one process or apart, and a node per further stage."""

import functools
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from conegrad_bringup.launch_arguments import (
    SWITCH,
    chosen_file,
    is_on,
    path_parameter,
    path_text,
    shared_argument,
    text,
)
from conegrad_bringup.launch_environment import large_messages
from conegrad_bringup.respawn import Respawned, respawned

NODES = ("camera_node", "lidar_node", "fusion_node")
TEXTS = ("namespace", "params_file", "vehicle", "image_transport", "input")


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
    arguments = {"composed": "true", "respawn": "true", "rviz": "false", "foxglove": "false"}
    return LaunchDescription(
        [
            *(shared_argument(name, default) for name, default in arguments.items()),
            *(shared_argument(name) for name in TEXTS),
            DeclareLaunchArgument("pipeline", default_value="",
                                  description="Pipeline, by name or path; each stage that the "
                                  "nodes of the car do not run gets a stage_node"),
            DeclareLaunchArgument("use_sim_time", default_value="false", choices=SWITCH,
                                  description="Time from /clock"),
            OpaqueFunction(function=large_messages),
            OpaqueFunction(function=perception, args=[config]),
            rviz,
            foxglove,
        ]
    )  # fmt: skip


def perception(context: LaunchContext, config: Path) -> list[Any]:
    """The nodes, started again when they crash, and who looks after those that hang."""
    if not is_on(context, "respawn"):
        return list(perception_nodes(context, config))
    namespace = LaunchConfiguration("namespace")
    watched = [*NODES, *(f"{stage}_node" for stage in own_stages(context))]
    actions = respawned(
        "conegrad_nodes", "lifecycle_manager", namespace=namespace, parameters=[{"nodes": watched}]
    )
    for number, name in enumerate(processes(context)):
        make = functools.partial(_one_of, number, context, config)
        actions += Respawned(make, name).actions()
    return actions


def executables(context: LaunchContext) -> list[str]:
    """Programs; they have the names of the nodes."""
    return ["perception"] if is_on(context, "composed") else list(NODES)


def own_stages(context: LaunchContext) -> list[str]:
    """Stages of the pipeline that the nodes of the car do not run."""
    if not LaunchConfiguration("pipeline").perform(context):
        return []
    from conegrad_nodes.pipeline_hosts import further_stages  # takes a second

    return further_stages(path_text(context, "pipeline"))


def processes(context: LaunchContext) -> list[str]:
    """Names of all processes, in the order of :func:`perception_nodes`."""
    return [*executables(context), *(f"{stage}_node" for stage in own_stages(context))]


def perception_nodes(context: LaunchContext, config: Path) -> list[Node]:
    """The processes."""
    files = [str(config / f"{name}.yaml") for name in NODES]
    parameters: list[Any] = [*files, *chosen_file(context, "params_file")]
    if values := overrides(context):
        parameters.append(values)
    shared: dict[str, Any] = {
        "package": "conegrad_nodes",
        "namespace": LaunchConfiguration("namespace"),
        "output": "screen",
    }
    car = [
        Node(executable=executable, parameters=parameters, **shared)
        for executable in executables(context)
    ]
    further = [
        Node(
            executable="stage_node",
            name=f"{stage}_node",
            parameters=[*parameters, {"pipeline": path_parameter(context, "pipeline"),
                                      "stage": ParameterValue(stage, value_type=str)}],
            **shared,
        )
        for stage in own_stages(context)
    ]  # fmt: skip
    return [*car, *further]


def _one_of(number: int, context: LaunchContext, config: Path) -> Node:
    return perception_nodes(context, config)[number]


def overrides(context: LaunchContext) -> dict[str, Any]:
    """What the arguments ask for, as parameters; they take precedence over all files."""
    values: dict[str, Any] = {}
    if LaunchConfiguration("use_sim_time").perform(context) == "true":
        values["use_sim_time"] = True
    if LaunchConfiguration("vehicle").perform(context):
        values["calibration.vehicle"] = path_parameter(context, "vehicle")
        values["calibration.extrinsics"] = "vehicle"
    for name in ("image_transport", "input"):
        if LaunchConfiguration(name).perform(context):
            values[name] = text(name)
    return values
