"""Settings of the core from the parameters of the nodes, for runs without nodes."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from conegrad_core.config import Config, SettingError
from conegrad_nodes.bags.types import BagError

C = TypeVar("C", bound=Config)

NODES = ("camera_node", "lidar_node", "fusion_node")


def read_parameter_files(paths: Sequence[Path]) -> dict[str, Any]:
    """Parameters by full name of ROS parameter files; later ones replace earlier ones.

    Sections of all nodes are put together: no two nodes have a parameter of one name and
    another meaning, except those of their inputs, which a run without nodes does not have.

    Raises:
        BagError: if a file is no ROS parameter file.
    """
    parameters: dict[str, Any] = {}
    for section in _sections(paths).values():
        parameters |= section
    return parameters


def names_in_files(paths: Sequence[Path]) -> list[str]:
    """Names of all parameters that ROS parameter files give to one of the three nodes by name.

    Raises:
        BagError: if a file is no ROS parameter file.
    """
    return [
        name
        for (_, node), section in _sections(paths).items()
        if node.rpartition("/")[2] in NODES
        for name in section
    ]


def _sections(paths: Sequence[Path]) -> dict[tuple[Path, str], dict[str, Any]]:
    """Parameters by full name of each file and node."""
    sections = {}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            for node, section in content.items():
                sections[path, str(node)] = _flat(section["ros__parameters"])
        except (OSError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
            raise BagError(f"{path} is no ROS parameter file ({error!r})") from error
    return sections


def settings(config_class: type[C], parameters: Mapping[str, Any], prefix: str = "") -> C:
    """A settings dataclass with the parameters of a prefix; others keep their defaults.

    Raises:
        ValueError: if a value is out of bounds.
    """
    values = {}
    for field in dataclasses.fields(config_class):
        name = f"{prefix}.{field.name}" if prefix else field.name
        if name in parameters:
            value = parameters[name]
            values[field.name] = tuple(value) if isinstance(field.default, tuple) else value
    try:
        return config_class(**values)
    except SettingError as error:
        name = f"{prefix}.{error.field}" if prefix else error.field
        raise ValueError(f"parameter {name} {error.fault}") from error


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
