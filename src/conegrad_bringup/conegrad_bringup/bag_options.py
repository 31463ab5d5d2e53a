"""Settings of the commands that read a bag: its topics, and how it would be perceived."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_core.settings import Config, setting
from conegrad_core.settings.command_settings import NodeParameters
from conegrad_core.system_record.location import pinned
from conegrad_data.topics.topics import read_topics

# What one option says in all commands that have it.
BAG = "folder of a bag, or a file *.mcap or *.db3"
MAP = "Map of the cones (CSV with x, y, colour)"
TRUTH_OF_BAG = f"{MAP}; empty: the truth in the bag"
VEHICLE = "Vehicle: name of a preset, or path of a YAML file"
CALIBRATION = f"{VEHICLE}; its calibration replaces that of the bag; empty: that of the bag"
PIPELINE = (
    "Pipeline (name, or path of its file) or recorded system (NAME@ALIAS, NAME/VERSION, path)"
)
SYSTEM = "Recorded system in place of --pipeline: NAME@ALIAS, NAME/VERSION or a path"
FORCE = "replace what an earlier run wrote there"


def add_system_and_drives(parser: argparse.ArgumentParser, output: str) -> None:
    """Declare the system that is measured, its drives, and the folder to write."""
    parser.add_argument(
        "system",
        metavar="SYSTEM",
        help="NAME@ALIAS, NAME/VERSION, an id, a path of a record, or a pipeline by name or file",
    )
    parser.add_argument(
        "--bags", type=Path, nargs="+", required=True, metavar="BAG", help="Drives with truth"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(output),
        help=f"folder to write (default: {output})",
    )


def topic_setting() -> Any:
    """Declare which topic of the bag plays which role."""
    return setting(
        (),
        "Topic of a bag for a role, such as image=/front/image_raw; 'none' leaves the role out; "
        "repeatable; empty: found by type",
        metavar="ROLE=TOPIC",
        is_repeated=True,
    )


def params_file_setting() -> Any:
    """Declare the ROS parameter files of the nodes of the perception."""
    return setting(
        (),
        "ROS parameter file of the perception nodes; repeatable",
        metavar="FILE",
        is_repeated=True,
        aliases=("params",),
    )


@dataclass(frozen=True)
class PerceptionSettings(Config):
    """What a run of the perception takes from elsewhere than the bag, and the topics."""

    pipeline: str = setting("", f"{PIPELINE}; empty: as the parameters say, else camera_lidar")
    system: str = setting("", SYSTEM)
    params_file: tuple[Path, ...] = params_file_setting()
    topic: tuple[str, ...] = topic_setting()
    vehicle: str = setting("", CALIBRATION)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.system and self.pipeline:
            fault = f"is {self.system!r} beside the pipeline {self.pipeline!r}"
            raise self.refusal("system", f"{fault}, expected one of them")

    @property
    def what_runs(self) -> str:
        """The pipeline or the recorded system, its alias replaced; empty where none is named.

        Raises:
            RecordError: if the store has no such system.
        """
        return pinned(self.system) or self.pipeline


def read_roles(topic: tuple[str, ...]) -> dict[str, str]:
    """Topic of each role that was named.

    Raises:
        BagError: if a word has another form, or a role does not exist.
    """
    return read_topics(topic, "--topic")


def _perception_kinds(groups: Mapping[str, Config]) -> Mapping[str, Any]:
    from conegrad_nodes.parameters.chosen_parameters import chosen_pipeline
    from conegrad_nodes.parameters.pipeline_settings import pipeline_kinds

    own = groups.get("")
    named = getattr(own, "system", "") or getattr(own, "pipeline", "")
    pipeline = named or chosen_pipeline({}, getattr(own, "params_file", ()))
    return pipeline_kinds(pipeline)


PERCEPTION_PARAMETERS = NodeParameters("--set", "detector.engine=onnx", _perception_kinds)
