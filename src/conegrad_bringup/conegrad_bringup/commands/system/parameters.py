"""Write the ROS parameter file that lets the nodes of a car run a recorded system.

  conegrad system parameters car@champion -o car.yaml --vehicle our_car.yaml
  ros2 launch conegrad_bringup perception.launch.py params_file:=$PWD/car.yaml

The file names the record by its folder, so that an alias that moves later changes nothing on the
car, and repeats the input size and the crop that the system was trained with. After a promotion or
'conegrad system rollback' write the file again.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conegrad_bringup.bag_options import FORCE, VEHICLE
from conegrad_bringup.commands.system.store_options import (
    REFERENCE,
    KeySettings,
    kept_folder,
    recorded,
)
from conegrad_core.presets import find_preset
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings
from conegrad_core.settings.yaml_file import yaml_value
from conegrad_core.system_record.lineage import names_of
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore
from conegrad_core.whole_file import write_whole
from conegrad_nodes.parameters.chosen_parameters import check_parameters
from conegrad_nodes.pipeline_hosts import CAMERA_NODE, FUSION_NODE, LIDAR_NODE, pipeline_hosts

SHAPES = ("input_width", "input_height", "crop_top", "crop_bottom")  # settings that are repeated


@dataclass(frozen=True)
class ParametersSettings(KeySettings):
    """Settings of the command itself."""

    monitor: str = setting("", "Monitor that 'conegrad monitor fit' wrote, for camera and LiDAR")
    vehicle: str = setting(
        "", f"{VEHICLE}; its extrinsics replace those of tf_static; empty: those of tf_static"
    )


SETTINGS = CommandSettings({"": ParametersSettings()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("system", help=REFERENCE)
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write (YAML)")
    parser.add_argument("--force", action="store_true", help=FORCE)
    SETTINGS.add_to(parser)


def run(options: argparse.Namespace) -> None:
    """Verify the record, write the file, check it as the nodes would."""
    own = SETTINGS.read(options)[ParametersSettings]
    output: Path = options.output
    if output.exists() and not options.force:
        raise ValueError(f"{output} exists already, not overwriting: --force replaces it")
    store = own.opened()
    record = recorded(options.system, store)
    own.check(record.folder)
    record = SystemRecord(kept_folder(store, record).resolve(), record.id)
    parameters = node_parameters(record, own)
    write_whole(output, as_text(record, store, parameters).encode())
    check_parameters({}, [output])
    print(f"{output}: parameters of {_title(record, store)}")
    print(f"ros2 launch conegrad_bringup perception.launch.py params_file:={output.resolve()}")


def node_parameters(record: SystemRecord, own: ParametersSettings) -> dict[str, dict[str, Any]]:
    """Parameters of each node of the car that has stages of the system.

    Raises:
        FileNotFoundError: if there is no such monitor or vehicle.
    """
    monitor = Path(own.monitor).expanduser().resolve() if own.monitor else None
    if monitor is not None and not monitor.is_file():
        raise FileNotFoundError(f"--monitor {monitor}: no such file")
    vehicle = _vehicle(own.vehicle) if own.vehicle else ""
    stages = record.specification.stages
    found: dict[str, dict[str, Any]] = {}
    for node, names in pipeline_hosts(record.pipeline_file).by_node.items():
        of_node: dict[str, Any] = {"pipeline": str(record.pipeline_file)}
        for name in names:
            settings = stages[name].settings
            of_node |= {f"{name}.{key}": settings[key] for key in SHAPES if key in settings}
        if monitor is not None and node in (CAMERA_NODE, LIDAR_NODE):
            of_node["monitor"] = str(monitor)
        if vehicle and node == FUSION_NODE:
            of_node |= {"calibration.vehicle": vehicle, "calibration.extrinsics": "vehicle"}
        found[node] = of_node
    return found


def _vehicle(name_or_path: str) -> str:
    """A preset by its name, which every machine finds; a file by its absolute path."""
    path = find_preset("vehicles", name_or_path)
    return name_or_path if path.stem == name_or_path else str(path.resolve())


def as_text(record: SystemRecord, store: SystemStore, parameters: dict[str, dict[str, Any]]) -> str:
    """The file, with a heading that says what it is of."""
    lines = [f"# Parameters of {_title(record, store)}; made by 'conegrad system parameters'."]
    for node, values in parameters.items():
        lines += [f"/**/{node}:", "  ros__parameters:"]
        lines += [f"    {name}: {yaml_value(value)}" for name, value in values.items()]
    return "\n".join([*lines, ""])


def _title(record: SystemRecord, store: SystemStore) -> str:
    versions = [name for name in names_of(record.id, store) if "@" not in name]  # aliases move
    names = ", ".join(versions) or record.name
    return f"{names}, record {record.id}"
