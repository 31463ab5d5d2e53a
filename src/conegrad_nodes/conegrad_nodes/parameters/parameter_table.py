"""The table of all parameters, made from the settings that the nodes declare."""

import dataclasses
from typing import Any

from conegrad_core.camera.detector import DetectorConfig
from conegrad_core.fusion.config import FuserConfig
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.segmenter import SegmenterConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.processes.supervision import SupervisionConfig
from conegrad_core.settings import Config
from conegrad_core.timing.pairing import PairingConfig
from conegrad_data.calibration.calibration_source import CalibrationConfig
from conegrad_nodes.camera_node import CameraNodeConfig
from conegrad_nodes.fusion_node import FusionNodeConfig
from conegrad_nodes.lidar_node import LidarNodeConfig
from conegrad_nodes.lifecycle_manager import LifecycleManagerConfig
from conegrad_nodes.parameters.parameter_names import full_name

# Settings of each node, by the prefix of their parameters.
NODE_SETTINGS: dict[str, dict[str, type[Config]]] = {
    "camera_node": {"": CameraNodeConfig, "detector": DetectorConfig},
    "lidar_node": {
        "": LidarNodeConfig,
        "segmenter": SegmenterConfig,
        "reduction": ReductionConfig,
        "sweep": SweepConfig,
    },
    "fusion_node": {
        "": FusionNodeConfig,
        "fuser": FuserConfig,
        "pairing": PairingConfig,
        "calibration": CalibrationConfig,
    },
}
# Of nodes beside the perception, which share no parameters with it.
OTHER_SETTINGS: dict[str, list[tuple[str, type[Config]]]] = {
    "lifecycle_manager": [("", LifecycleManagerConfig), ("", SupervisionConfig)],
}
HEAD = """# Parameters

Made by `python -m conegrad_nodes.parameters.parameter_table > docs/parameters.md`: do not edit. All
are read when a node starts; those after `detector.`, `segmenter.`, `fuser.`, `pairing.` and
`calibration.` again when it is configured: they may be set while it is unconfigured. In YAML,
numbers with a fraction need their point: `20.0`, not `20`.
"""


def parameter_tables() -> str:
    """The text of docs/parameters.md."""
    parts = [HEAD]
    nodes = {name: list(settings.items()) for name, settings in NODE_SETTINGS.items()}
    for node, settings in {**nodes, **OTHER_SETTINGS}.items():
        rows = [_row(prefix, f) for prefix, c in settings for f in dataclasses.fields(c)]
        head = ["| parameter | default | bounds | meaning |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {node}", "", *head, *rows, ""]))
    return "\n".join(parts)


def _row(prefix: str, field: "dataclasses.Field[Any]") -> str:
    name = full_name(prefix, field.name)
    default = f"`{field.default!r}`".replace("'", '"').replace("True", "true")
    default = default.replace("False", "false")
    low, high = field.metadata["low"], field.metadata["high"]
    if low is None and high is None:
        bounds = ""
    elif low is None or high is None:
        bounds = f">= {low}" if high is None else f"<= {high}"
    else:
        bounds = f"{low} to {high}"
    return f"| `{name}` | {default} | {bounds} | {field.metadata['description']} |"


if __name__ == "__main__":
    print(parameter_tables(), end="")
