"""ROS parameter files, and what the arguments of a program give to each of its nodes."""

import functools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.settings.yaml_file import read_yaml

Sections = dict[tuple[Path, str], dict[str, Any]]  # parameters by full name, of each file and node
FILE, VALUE = ("--params-file",), ("-p", "--param")


class GivenParameter(NamedTuple):
    """A value for a parameter: where it stands, for which nodes, and the full name."""

    place: str
    nodes: str
    name: str
    value: Any


def read_sections(paths: Sequence[Path], *, may_be_empty: bool = False) -> Sections:
    """Read ROS parameter files; empty ones, which ROS takes, are refused if not allowed.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is no ROS parameter file, naming it and the place in it.
    """
    sections = {}
    for path in paths:
        try:
            content = read_yaml(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{path}: no such parameter file") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
        if content is None and may_be_empty:
            continue
        if not isinstance(content, Mapping):
            raise ValueError(f"{path} holds {content!r}, expected /NODE: {{ros__parameters: ...}}")
        for name, section in _nodes(content):
            sections[path, name] = _flat(_parameters(f"{path}: {name}", section))
    return sections


def _nodes(tree: Mapping[Any, Any], namespace: str = "") -> Iterator[tuple[str, Any]]:
    """Names and sections; a namespace may be written once, above its nodes."""
    for key, section in tree.items():
        name = f"{namespace}{key}"
        is_namespace = (
            isinstance(section, Mapping)
            and "ros__parameters" not in section
            and any(isinstance(inner, Mapping) for inner in section.values())
        )
        if is_namespace:
            yield from _nodes(section, f"{name.rstrip('/')}/")
        else:
            yield name, section


def _parameters(place: str, section: Any) -> Mapping[str, Any]:
    """What is below ``ros__parameters``."""
    if not isinstance(section, Mapping) or "ros__parameters" not in section:
        raise ValueError(f"{place} is {section!r}, expected ros__parameters below a node")
    values = section["ros__parameters"]
    if not isinstance(values, Mapping):
        raise ValueError(f"{place}: ros__parameters is {values!r}, expected names with values")
    return values


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def given_to(node: str, name: str) -> list[GivenParameter]:
    """All values that the arguments of this program give to a parameter of a node.

    ROS puts them together and drops one of another type than one before it, without a word.

    Args:
        node: full name.
        name: full name of the parameter.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    given = _given(tuple(sys.argv))
    return [entry for entry in given if entry.name == name and _is_for(entry.nodes, node)]


def given_values(arguments: Sequence[str], name: str) -> list[Any]:
    """Values that arguments of a program give to a parameter, the last one for each name of nodes.

    Raises:
        ValueError: if a file is no ROS parameter file.
    """
    by_nodes = {e.nodes: e.value for e in _given(tuple(arguments)) if e.name == name}
    return list(by_nodes.values())


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments of a program whose parameter files ROS cannot read, in one line.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is no ROS parameter file.
    """
    _given(tuple(arguments))


@functools.cache
def _given(arguments: tuple[str, ...]) -> list[GivenParameter]:
    found = []
    for flag, word in _ros_pairs(arguments):
        if flag in FILE:
            for (path, nodes), section in read_sections([Path(word)], may_be_empty=True).items():
                found += [
                    GivenParameter(str(path), nodes, name, value) for name, value in section.items()
                ]
        elif flag in VALUE and ":=" in word:
            left, _, value = word.partition(":=")
            nodes, colon, name = left.rpartition(":")
            found.append(
                GivenParameter(f"{flag} {word}", nodes if colon else "/**", name, read_yaml(value))
            )
    return found


def _ros_pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Neighbours among the arguments that are meant for ROS."""
    is_ros = False
    for word, after in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "--ros-args":
            is_ros = True
        elif word == "--":
            is_ros = False
        elif is_ros:
            yield word, after


def _is_for(pattern: str, node: str) -> bool:
    """Whether a section of a parameter file is for a node; ``**`` are any names, ``*`` is one."""
    wild = {"**": "(/[^/]+)*", "*": "/[^/]+"}
    parts = [wild.get(part, "/" + re.escape(part)) for part in pattern.split("/") if part]
    return re.fullmatch("".join(parts), node) is not None
