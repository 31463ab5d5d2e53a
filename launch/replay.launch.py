"""Plays a bag into the perception."""

from ament_index_python.packages import get_package_share_path
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

TEXTS = ("namespace", "params_file", "vehicle", "image_transport", "input")
SWITCHES = ("rviz", "foxglove")
LAST_MESSAGES = 2.0  # [s] for the nodes to finish after the bag


def generate_launch_description() -> LaunchDescription:
    """Description: the player with /clock, and the perception on its time."""
    launch_folder = get_package_share_path("conegrad_bringup") / "launch"
    player = ExecuteProcess(
        cmd=[
            "ros2", "bag", "play", LaunchConfiguration("bag"), "--clock", "100",
            "--rate", LaunchConfiguration("rate"), "--delay", LaunchConfiguration("delay"),
        ],
        output="screen",
    )  # fmt: skip
    perception = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(launch_folder / "perception.launch.py")),
        launch_arguments={
            "use_sim_time": "true",
            **{name: LaunchConfiguration(name) for name in ("composed", *TEXTS, *SWITCHES)},
        }.items(),
    )
    stop = TimerAction(period=LAST_MESSAGES, actions=[EmitEvent(event=Shutdown())])
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", description="Folder or file of the bag"),
            DeclareLaunchArgument("rate", default_value="1.0", description="Speed of the player"),
            DeclareLaunchArgument("delay", default_value="5.0",
                                  description="Time for the models to load [s]"),
            DeclareLaunchArgument("composed", default_value="true"),
            *(DeclareLaunchArgument(name, default_value="") for name in TEXTS),
            *(DeclareLaunchArgument(name, default_value="false") for name in SWITCHES),
            perception,
            player,
            RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[stop])),
        ]
    )  # fmt: skip
