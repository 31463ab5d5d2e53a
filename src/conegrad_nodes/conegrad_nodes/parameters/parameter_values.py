"""Values of parameters: read as ROS 2 reads them, and of no other type than a node takes."""

import re
from typing import Any

import yaml

KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number with a point",
    str: "text in quotes",
    tuple: "a list",
}


class _RosLoader(yaml.SafeLoader):
    """Takes 1e-3 for a number, as ROS 2 does, and PyYAML does not."""


_RosLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)

# As launch writes lists; ROS 2 passes over the tag.
_RosLoader.add_constructor(
    "tag:yaml.org,2002:python/tuple", lambda loader, node: loader.construct_sequence(node)
)


def read_yaml(text: str) -> Any:
    """Content of a parameter file, or the value of one parameter.

    Raises:
        ValueError: if it is no YAML; in one line, with the place in the text.
    """
    try:
        return yaml.load(text, _RosLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"no YAML{place}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML: {' '.join(str(error).split())}") from error


def check_type(name: str, value: Any, default: Any) -> None:
    """Refuse a value that ROS 2 would not take for a parameter with this default.

    Raises:
        ValueError: naming the parameter, the value and what was expected.
    """
    kind = list if isinstance(default, tuple) else type(default)
    if isinstance(value, kind) and isinstance(value, bool) == isinstance(default, bool):
        return
    told = "empty" if value is None else repr(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    hint = f": write {value}.0" if kind is float and is_whole else ""
    raise ValueError(f"{name} is {told}, expected {KINDS[type(default)]}{hint}")
