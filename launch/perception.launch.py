"""The nodes of a pipeline, in one process or apart, with its stages composed or apart."""

import functools
import os
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
    chosen_pipeline,
    is_on,
    path_parameter,
    shared_argument,
    text,
)
from conegrad_bringup.launch_environment import enclave, large_messages, network
from conegrad_bringup.respawn import Respawned, respawned

CAR_NODES = ("camera_node", "lidar_node", "fusion_node")  # with parameter files of their own
TEXTS = (
    "namespace", "params_file", "vehicle", "image_transport", "input", "pipeline", "system",
    "stages", "network", "convert",
)  # fmt: skip


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
            DeclareLaunchArgument("use_sim_time", default_value="false", choices=SWITCH,
                                  description="Time from /clock"),
            OpaqueFunction(function=network),
            OpaqueFunction(function=large_messages),
            OpaqueFunction(function=perception, args=[config]),
            OpaqueFunction(function=converter),
            rviz,
            foxglove,
        ]
    )  # fmt: skip


def perception(context: LaunchContext, config: Path) -> list[Any]:
    """The nodes, started again when they crash, and who looks after those that hang."""
    if not is_on(context, "respawn"):
        return list(perception_nodes(context, config))
    namespace = LaunchConfiguration("namespace")
    own = {"nodes": list(hosts(context).node_names(way(context))), "launcher": os.getpid()}
    actions = respawned(
        "conegrad_nodes", "lifecycle_manager", namespace=namespace, parameters=[own]
    )
    for number, name in enumerate(processes(context)):
        make = functools.partial(_one_of, number, context, config)
        actions += Respawned(make, name).actions()
    return actions


def converter(context: LaunchContext) -> list[Any]:
    """The node that publishes the cones as messages of another stack, where one is asked for."""
    if not LaunchConfiguration("convert").perform(context):
        return []
    own: dict[str, Any] = {"format": text("convert")}
    if LaunchConfiguration("use_sim_time").perform(context) == "true":
        own["use_sim_time"] = True
    options = {"namespace": LaunchConfiguration("namespace"), "parameters": [own]}
    if is_on(context, "respawn"):
        return list(respawned("conegrad_nodes", "cone_converter", **options))
    options["ros_arguments"] = enclave("cone_converter")
    return [Node(package="conegrad_nodes", executable="cone_converter", output="screen", **options)]


def hosts(context: LaunchContext) -> Any:
    """Which node runs which stage of the pipeline."""
    from conegrad_nodes.pipeline_hosts import pipeline_hosts  # takes a second

    given = chosen_pipeline(context)
    return pipeline_hosts(given) if given else pipeline_hosts()


def way(context: LaunchContext) -> str:
    """Of the stages: composed or apart."""
    return LaunchConfiguration("stages").perform(context) or "composed"


def composed_nodes(context: LaunchContext) -> list[str]:
    """Nodes that run in one process: all that the cones come from."""
    if not is_on(context, "composed"):
        return []
    found = hosts(context)
    further = {f"{stage}_node" for stage in found.further}
    return [name for name in found.node_names(way(context)) if name not in further]


def processes(context: LaunchContext) -> list[str]:
    """Names of all processes, in the order of :func:`perception_nodes`."""
    together = composed_nodes(context)
    others = [name for name in hosts(context).node_names(way(context)) if name not in together]
    return [*(["perception"] if together else []), *others]


def perception_nodes(context: LaunchContext, config: Path) -> list[Node]:
    """The processes."""
    files = [str(config / f"{name}.yaml") for name in CAR_NODES]
    parameters: list[Any] = [*files, *chosen_file(context, "params_file")]
    if values := overrides(context):
        parameters.append(values)
    stages = {f"{stage}_node": stage for stage in hosts(context).stage_nodes(way(context))}
    return [_process(name, stages.get(name, ""), parameters, context) for name in
            processes(context)]  # fmt: skip


def _process(name: str, stage: str, parameters: list[Any], context: LaunchContext) -> Node:
    """A program: of a stage, of a node of the car, or of several nodes."""
    options: dict[str, Any] = {"executable": name}
    if stage:
        own = {"stage": ParameterValue(stage, value_type=str)}
        options = {"executable": "stage_node", "name": name}
    else:
        own = {"nodes": composed_nodes(context)} if name == "perception" else {}
        if way(context) != "composed" and name == "perception":
            own["stages"] = text("stages")
    return Node(
        package="conegrad_nodes",
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        parameters=[*parameters, *([own] if own else [])],
        ros_arguments=enclave(name),
        **options,
    )


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
    if given := chosen_pipeline(context):
        values["pipeline"] = ParameterValue(given, value_type=str)
    for name in ("image_transport", "input"):
        if LaunchConfiguration(name).perform(context):
            values[name] = text(name)
    return values
