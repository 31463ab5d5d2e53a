"""Gazebo with a car on a track, the bridge to ROS, the truth, the perception, and a driver."""

import shlex
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import get_package_share_path
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    AppendEnvironmentVariable,
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from conegrad_bringup.launch_arguments import path_text, shared_argument
from conegrad_bringup.launch_environment import large_messages, network

SIM_TIME = {"use_sim_time": True}
# Relative, but for those that ROS fixes; what conegrad train and conegrad evaluate read.
RECORDED = (
    "/clock", "/tf", "/tf_static", "image_raw", "camera_info", "odom", "truth", "truth/odom",
    "detections", "segmentation", "cones", "cmd_vel",
)  # fmt: skip
RECORDED_LIDAR = {"planar": "scan", "cloud": "points"}


def generate_launch_description() -> LaunchDescription:
    """Description: everything that has to run for one car in one world."""
    switches = ("true", "false")
    return LaunchDescription(
        [
            DeclareLaunchArgument("world", description="Folder made by conegrad world make"),
            DeclareLaunchArgument("headless", default_value="false", choices=switches,
                                  description="No window; sensors render off screen"),
            shared_argument("namespace"),
            shared_argument("network"),
            DeclareLaunchArgument("perception", default_value="true", choices=switches,
                                  description="Start the perception"),
            DeclareLaunchArgument("composed", default_value="true", choices=switches,
                                  description="Perception in one process"),
            DeclareLaunchArgument("driver", default_value="false", choices=switches,
                                  description="Start the driver"),
            DeclareLaunchArgument("driver_package", default_value="conegrad_simulation",
                                  description="Package of the driver"),
            DeclareLaunchArgument("driver_executable", default_value="driver_node",
                                  description="Executable of the driver; publishes cmd_vel"),
            DeclareLaunchArgument("rviz", default_value="false", choices=switches,
                                  description="Start RViz"),
            DeclareLaunchArgument("record", default_value="",
                                  description="Bag to record (MCAP); empty: none"),
            OpaqueFunction(function=simulation),
        ]
    )  # fmt: skip


def simulation(context: LaunchContext) -> list[Any]:
    """All processes, once the folder of the world is known."""
    folder = Path(path_text(context, "world")).resolve()
    settings = world_settings(folder)
    share = get_package_share_path("conegrad_bringup")
    return [
        *network(context),
        *large_messages(context),
        AppendEnvironmentVariable("GZ_SIM_RESOURCE_PATH", str(folder / "models")),
        gazebo(folder, is_headless=LaunchConfiguration("headless").perform(context) == "true"),
        *bridge_and_frames(folder, settings, share / "config"),
        perception(settings, share),
        driver(settings),
        rviz(share / "config"),
        *recorder(context, settings["lidar"]),
    ]


def world_settings(folder: Path) -> dict[str, Any]:
    """Settings that the world was made of.

    Raises:
        FileNotFoundError: if the folder holds no world.
        ValueError: if an earlier version made it.
    """
    for name in ("world.sdf", "scene.yaml", "scene.json", "car.urdf"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"world:={folder} holds no {name}, expected a folder made by conegrad world make"
            )
    content = yaml.safe_load((folder / "scene.yaml").read_text(encoding="utf-8"))
    settings: dict[str, Any] | None = content.get("scene")
    if settings is None:
        raise ValueError(
            f"{folder / 'scene.yaml'} has no section scene: make the world again with "
            "conegrad world make"
        )
    return settings


def gazebo(folder: Path, *, is_headless: bool) -> IncludeLaunchDescription:
    """The simulator, running at once; all else ends with it."""
    options = "-r -s --headless-rendering" if is_headless else "-r"
    source = get_package_share_path("ros_gz_sim") / "launch" / "gz_sim.launch.py"
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(source)),
        launch_arguments={
            "gz_args": f"{options} {shlex.quote(str(folder / 'world.sdf'))}",
            "on_exit_shutdown": "true",
        }.items(),
    )


def bridge_and_frames(folder: Path, settings: dict[str, Any], config: Path) -> list[Node]:
    """Bridge, frames of the car, and the truth."""
    namespace = LaunchConfiguration("namespace")
    description = (folder / "car.urdf").read_text()
    bridge = Node(
        package="ros_gz_bridge",
        executable="parameter_bridge",
        name="gazebo_bridge",
        namespace=namespace,
        parameters=[{"config_file": str(config / "gazebo_bridge.yaml")}],
        output="screen",
    )
    frames = Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        namespace=namespace,
        parameters=[SIM_TIME, {"robot_description": ParameterValue(description, value_type=str)}],
        output="screen",
    )
    truth = Node(
        package="conegrad_simulation",
        executable="truth_node",
        namespace=namespace,
        parameters=[
            SIM_TIME,
            {
                "scene": ParameterValue(str(folder / "scene.json"), value_type=str),
                "vehicle": ParameterValue(settings["vehicle"], value_type=str),
                "lidar": settings["lidar"],
            },
        ],
        output="screen",
    )
    return [bridge, frames, truth]


def perception(settings: dict[str, Any], share: Path) -> GroupAction:
    """The perception; calibration comes from camera_info and tf_static, as on a car."""
    points = share / "config" / "gazebo_points.yaml"
    included = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / "launch" / "perception.launch.py")),
        launch_arguments={
            "use_sim_time": "true",
            "namespace": LaunchConfiguration("namespace"),
            "network": LaunchConfiguration("network"),
            "composed": LaunchConfiguration("composed"),
            "params_file": str(points) if settings["lidar"] == "cloud" else "",
            "rviz": "false",  # started here, with or without the perception
        }.items(),
    )
    # In a scope of its own, or else its arguments would replace those of this file.
    return GroupAction([included], condition=IfCondition(LaunchConfiguration("perception")))


def driver(settings: dict[str, Any]) -> Node:
    """The driver, ours or that of a team; a team's own has no use for these parameters."""
    is_file = settings["track"].endswith(".csv")
    scale = (settings.get("track_scale") or 1.0) if is_file else 0.0  # 0: that of the vehicle
    return Node(
        package=LaunchConfiguration("driver_package"),
        executable=LaunchConfiguration("driver_executable"),
        namespace=LaunchConfiguration("namespace"),
        parameters=[SIM_TIME, {"vehicle": settings["vehicle"], "scale": scale}],
        output="screen",
        condition=IfCondition(LaunchConfiguration("driver")),
    )


def rviz(config: Path) -> Node:
    """RViz on the time of the simulator."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),  # its topics are relative
        arguments=["-d", str(config / "perception.rviz")],
        parameters=[SIM_TIME],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )


def recorder(context: LaunchContext, lidar: str) -> list[ExecuteProcess]:
    """The recorder, if a bag is asked for."""
    path = path_text(context, "record")
    if not path:
        return []
    parts = LaunchConfiguration("namespace").perform(context).strip("/")
    prefix = f"/{parts}/" if parts else "/"
    topics = [*RECORDED, RECORDED_LIDAR[lidar]]
    absolute = [name if name.startswith("/") else prefix + name for name in topics]
    command = ["ros2", "bag", "record", "--use-sim-time", "--storage", "mcap"]
    output = str(Path(path).resolve())
    return [
        ExecuteProcess(cmd=[*command, "--output", output, "--topics", *absolute], output="screen")
    ]
