"""Plays a bag into the perception, from the moment on when its nodes are active."""

from typing import Any

from ament_index_python.packages import get_package_share_path
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from conegrad_bringup.launch_arguments import chosen_pipeline, path_text, shared_argument
from conegrad_bringup.launch_environment import enclave

ARGUMENTS = {"composed": "true", "respawn": "true", "rviz": "false", "foxglove": "false"}
TEXTS = (
    "namespace", "params_file", "vehicle", "image_transport", "input", "pipeline", "system",
    "stages", "network",
)  # fmt: skip
LAST_MESSAGES = 2.0  # [s] for the nodes to finish after the bag


def generate_launch_description() -> LaunchDescription:
    """Description: the perception on the time of the bag, and then the player with /clock."""
    launch_folder = get_package_share_path("conegrad_bringup") / "launch"
    perception = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(launch_folder / "perception.launch.py")),
        launch_arguments={
            "use_sim_time": "true",
            **{name: LaunchConfiguration(name) for name in (*ARGUMENTS, *TEXTS)},
        }.items(),
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Folder or file of the bag"),
            DeclareLaunchArgument("rate", default_value="1.0", description="Speed of the player"),
            DeclareLaunchArgument("delay", default_value="1.0",
                                  description="Between active nodes and the first message [s]"),
            DeclareLaunchArgument("start_timeout", default_value="120.0",
                                  description="Longest wait for the nodes to start [s]"),
            *(shared_argument(name, default) for name, default in ARGUMENTS.items()),
            *(shared_argument(name) for name in TEXTS),
            perception,
            OpaqueFunction(function=playing),
        ]
    )  # fmt: skip


def nodes(context: LaunchContext) -> list[str]:
    """Names of the nodes of the pipeline."""
    from conegrad_nodes.pipeline_hosts import pipeline_hosts  # takes a second

    given = chosen_pipeline(context)
    hosts = pipeline_hosts(given) if given else pipeline_hosts()
    return list(hosts.node_names(LaunchConfiguration("stages").perform(context) or "composed"))


def playing(context: LaunchContext) -> list[Any]:
    """The player, once all nodes are active; everything ends with it."""
    player = ExecuteProcess(
        cmd=[
            "ros2", "bag", "play", path_text(context, "bag"), "--clock", "100",
            "--rate", LaunchConfiguration("rate"), "--delay", LaunchConfiguration("delay"),
        ],
        output="screen",
    )  # fmt: skip
    timeout = ParameterValue(LaunchConfiguration("start_timeout"), value_type=float)
    wait = Node(
        package="conegrad_nodes",
        executable="wait_until_active",
        namespace=LaunchConfiguration("namespace"),
        parameters=[{"timeout": timeout, "nodes": nodes(context)}],
        ros_arguments=enclave("wait_until_active"),
        output="screen",
    )

    def play(event: ProcessExited, context: LaunchContext) -> list[Any]:
        if context.is_shutdown:
            return []
        if event.returncode:
            return [EmitEvent(event=Shutdown(reason="the nodes are not active"))]
        return [player]

    stop = TimerAction(period=LAST_MESSAGES, actions=[EmitEvent(event=Shutdown())])
    return [
        RegisterEventHandler(OnProcessExit(target_action=wait, on_exit=play)),
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[stop])),
        wait,
    ]
