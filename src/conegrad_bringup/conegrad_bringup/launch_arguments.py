"""Arguments of launch files, read strictly."""

from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.parameter_descriptions import ParameterValue

from conegrad_nodes.parameters.parameter_files import read_sections

SWITCH = ("true", "false")
# Arguments of several launch files, with the one description of each.
DESCRIPTIONS = {
    "composed": "All nodes in one process",
    "namespace": "Of all nodes",
    "params_file": "Parameters that replace those of config/",
    "vehicle": "Preset, by name or path, with the extrinsics; empty: as the parameters say",
    "image_transport": "Of the images; empty: as the parameters say",
    "input": "Of the LiDAR; empty: as the parameters say",
    "pipeline": "Pipeline, by name or path of its file; empty: as the parameters say",
    "system": "Recorded system in place of a pipeline: NAME@ALIAS, NAME/VERSION or a path",
    "stages": "Of the pipeline: composed in few nodes, or apart in nodes of their own",
    "convert": "Publish cones as messages of another stack, too: eufs, fs, vision; empty: none",
    "rviz": "Start RViz",
    "foxglove": "Start the bridge to Foxglove",
    "network": "Let other machines take part; empty: as the environment says, else this one alone",
    "respawn": "Start nodes again that crash, and let lifecycle_manager look after them",
}
CHOICES = {
    "image_transport": ("", "raw", "compressed"),
    "input": ("", "scan", "points"),
    "stages": ("", "composed", "apart"),
    "convert": ("", "eufs", "fs", "vision"),
    "network": ("", *SWITCH),
    **dict.fromkeys(("composed", "rviz", "foxglove", "respawn"), SWITCH),
}


def shared_argument(name: str, default: str = "") -> DeclareLaunchArgument:
    """An argument that several launch files have, described and checked alike in all of them."""
    return DeclareLaunchArgument(
        name,
        default_value=default,
        description=DESCRIPTIONS[name],
        choices=list(CHOICES[name]) if name in CHOICES else None,
    )


def is_on(context: LaunchContext, name: str) -> bool:
    """Whether a switch is true."""
    return bool(LaunchConfiguration(name).perform(context) == "true")


def text(name: str) -> ParameterValue:
    """An argument as a parameter of text, even if it reads like a number."""
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def path_text(context: LaunchContext, name: str) -> str:
    """A path that an argument gives, with ``~`` replaced, which no shell does in ``name:=~/x``."""
    given = LaunchConfiguration(name).perform(context)
    return str(Path(given).expanduser()) if given else ""


def path_parameter(context: LaunchContext, name: str) -> ParameterValue:
    """The same as a parameter of text; a name that is not a path stays as it is."""
    return ParameterValue(path_text(context, name), value_type=str)


def chosen_pipeline(context: LaunchContext) -> str:
    """The pipeline or the recorded system that the arguments name; empty where they name none.

    An alias counts as of the first call: a node that is started again runs the same system.

    Raises:
        ValueError: if both are given, or the store has no such system.
    """
    from conegrad_core.system_record.location import pinned

    system, pipeline = path_text(context, "system"), path_text(context, "pipeline")
    if system and pipeline:
        raise ValueError(f"system is {system} and pipeline is {pipeline}, expected one of them")
    if system:
        system = context.launch_configurations["system"] = pinned(system)
    return system or pipeline


def chosen_file(context: LaunchContext, name: str) -> list[Any]:
    """Path that an argument gives, or none where it is empty.

    Raises:
        FileNotFoundError: if there is no such file; launch would go on without it.
        ValueError: if it is not a ROS parameter file.
    """
    given = LaunchConfiguration(name).perform(context)
    if not given:
        return []
    path = path_text(context, name)
    if not Path(path).is_file():
        raise FileNotFoundError(f"{name}:={given} is not a file")
    read_sections([Path(path)], may_be_empty=True)
    return [path]
