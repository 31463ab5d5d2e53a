"""Settings of the core from the parameters of the nodes, for runs without nodes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from conegrad_core.settings import Config
from conegrad_core.settings.mapping import Location, read_config
from conegrad_core.settings.names import fields_by_name
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS
from conegrad_nodes.parameters.parameter_files import Sections, read_sections
from conegrad_nodes.parameters.parameter_names import check_names, full_name

C = TypeVar("C", bound=Config)

EVERY_NODE = ("*", "**")
# A run may take these from its bag: for a check of what was chosen, anything will do.
OF_THE_RUN = {"calibration.file": "?", "calibration.vehicle": "?"}


def check_parameters(parameters: Mapping[str, Any], paths: Sequence[Path]) -> None:
    """Refuse what the three nodes of the perception would refuse, before they start.

    Args:
        parameters: by full name, for all nodes.
        paths: ROS parameter files; ``parameters`` take precedence.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is no ROS parameter file or is for none of the nodes, or if a name
            or a value is of none of their parameters.
    """
    sections = read_sections(paths)
    _check_nodes(paths, sections)
    check_names([*parameters, *_names(sections)])
    for node, parts in NODE_SETTINGS.items():
        given = {**OF_THE_RUN, **_united(sections, node), **parameters}
        for prefix, config_class in parts.items():
            settings(config_class, given, prefix)


def read_parameter_files(paths: Sequence[Path]) -> dict[str, Any]:
    """Parameters by full name of ROS parameter files; later ones replace earlier ones.

    Sections of the nodes are put together: no two nodes have a parameter of one name and
    another meaning, except those of their inputs, which a run without nodes does not have.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    return _united(read_sections(paths), *NODE_SETTINGS)


def node_parameters(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """What ROS parameter files say to each of the three nodes, in whatever namespace it runs.

    So the file of a car serves for its recordings: here the nodes are in no namespace, and ROS
    would pass over ``/car/camera_node`` without a word.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    sections = read_sections(paths)
    return {node: _united(sections, node) for node in NODE_SETTINGS}


def _names(sections: Sections) -> list[str]:
    """Names of all parameters that are given to one of the three nodes by name."""
    return [
        name
        for (_, node), section in sections.items()
        if _node(node) in NODE_SETTINGS
        for name in section
    ]


def _united(sections: Sections, *nodes: str) -> dict[str, Any]:
    """Parameters of some nodes; later files replace earlier ones."""
    parameters: dict[str, Any] = {}
    for (_, name), section in sections.items():
        if _node(name) in (*nodes, *EVERY_NODE):
            parameters |= section
    return parameters


def _check_nodes(paths: Sequence[Path], sections: Sections) -> None:
    """Refuse a file of which nothing reaches the perception, or that has a node of it twice."""
    for path in paths:
        found = [name for file, name in sections if file == path]
        for node in NODE_SETTINGS:
            named = [name for name in found if _node(name) == node and "*" not in name]
            if len(named) > 1:
                raise ValueError(f"{path} is for {' and '.join(named)}, expected one {node}")
        if not any(_node(name) in (*NODE_SETTINGS, *EVERY_NODE) for name in found):
            expected = ", ".join(NODE_SETTINGS)
            raise ValueError(
                f"{path} is for {', '.join(found) or 'no node'}, expected some of {expected}, /**"
            )


def _node(name: str) -> str:
    return name.rpartition("/")[2]


def settings(config_class: type[C], parameters: Mapping[str, Any], prefix: str = "") -> C:
    """A settings dataclass with the parameters of a prefix; others keep their defaults.

    Raises:
        ValueError: if a value is of another type than the node takes, or out of bounds.
    """
    full_names = {name: full_name(prefix, name) for name in fields_by_name(config_class)}
    given = {name: parameters[full] for name, full in full_names.items() if full in parameters}
    at = Location(keys=(prefix,) if prefix else (), label="parameter ", is_ros=True)
    return read_config(config_class, given, at)
