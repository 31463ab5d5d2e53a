"""The table of all parameters, made from the settings that the nodes declare."""

import dataclasses
from typing import Any

from conegrad_nodes.parameters.node_settings import NODE_SETTINGS, OTHER_SETTINGS
from conegrad_nodes.parameters.parameter_names import full_name

HEAD = """# Parameters

Made by `python -m conegrad_nodes.parameters.parameter_table > docs/parameters.md`: do not edit. All
are read when a node starts; those after `detector.`, `segmenter.`, `fuser.`, `pairing.`,
`calibration.`, `tracks.` and `consistency.` again when it is configured: they may be set while it
is unconfigured. In YAML, numbers with a fraction need their point: `20.0`, not `20`.

The stages are those of `camera_lidar`. With another pipeline a node has the settings of the stages
that it runs, with their names in front and the defaults of the pipeline file: `keypoints.weights`.
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
