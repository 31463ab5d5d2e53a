"""Parameters of nodes, declared once: from the frozen dataclasses of settings."""

import dataclasses
import math
import typing
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from conegrad_core.settings import Config, SettingError
from conegrad_core.settings.names import aliases_of, renamed_text
from conegrad_core.settings.values import ValueKindError, kinds_of, read_value
from conegrad_nodes.parameters.parameter_files import given_to
from conegrad_nodes.parameters.parameter_names import full_name

C = TypeVar("C", bound=Config)

LARGEST_INTEGER = 2**63 - 1


def declare_config(
    node: Node,
    config_class: type[C],
    prefix: str = "",
    *,
    is_settable: bool = False,
    defaults: C | None = None,
) -> C:
    """Declare every field of a settings dataclass as a parameter and read it.

    Args:
        node: declares the parameters.
        config_class: the settings.
        prefix: ``"detector"`` makes the parameters ``detector.weights`` and so on.
        is_settable: they may be set later, where the node allows it; else they are read-only.
        defaults: values where nothing else is given; None: those of the class.

    Raises:
        ValueError: if an override has another type than the field or is out of bounds.
    """
    for field in dataclasses.fields(config_class):
        name = full_name(prefix, field.name)
        kind = kinds_of(config_class)[field.name]
        default = field.default if defaults is None else getattr(defaults, field.name)
        default = _value_to_declare(node, field, kind, prefix, default)
        _check_kinds(node, kind, name)
        descriptor = descriptor_of(field)
        descriptor.read_only = not is_settable
        try:
            node.declare_parameter(name, default, descriptor)
        except ParameterException as error:
            raise ValueError(f"parameter {name} of {node.get_name()}: {error}") from error
    return read_config(node, config_class, prefix)


def _value_to_declare(
    node: Node, field: "dataclasses.Field[Any]", kind: Any, prefix: str, default: Any
) -> Any:
    """The default of a field, or the value that was given to an earlier name of it."""
    name = full_name(prefix, field.name)
    default = list(default) if isinstance(default, tuple) else default
    # rclpy keeps what was given, but offers no way to ask for it before it is declared.
    given = node._parameter_overrides
    for alias in aliases_of(field):
        earlier = full_name(prefix, alias)
        if earlier not in given:
            continue
        of_node = f"of {node.get_name()}"
        if name in given:
            raise ValueError(f"parameter {name} {of_node} is given twice, also as {earlier}")
        text = renamed_text(f"parameter {earlier} {of_node}", name)
        node.get_logger().warning(text)
        _check_kind(f"parameter {earlier} {of_node}", kind, given[earlier].value)
        default = given[earlier].value
    return default


def _check_kinds(node: Node, kind: Any, name: str) -> None:
    """Refuse values that are given to a parameter and that ROS 2 would not take for its type."""
    place = f"parameter {name} of {node.get_name()}"
    given = node._parameter_overrides.get(name)
    if given is not None and typing.get_origin(kind) is not tuple:
        _check_kind(place, kind, given.value)
    for entry in given_to(node.get_fully_qualified_name(), name):
        _check_kind(f"{place} ({entry.place})", kind, entry.value)


def _check_kind(place: str, kind: Any, value: Any) -> None:
    try:
        read_value(kind, value, is_ros=True)
    except ValueKindError as error:
        raise ValueError(f"{place} {error}") from error


def read_config(node: Node, config_class: type[C], prefix: str = "") -> C:
    """The settings as the parameters of a node have them now.

    Raises:
        ValueError: if a value is out of bounds, naming the parameter.
    """
    values = {}
    for field in dataclasses.fields(config_class):
        value = node.get_parameter(full_name(prefix, field.name)).value
        values[field.name] = tuple(value) if isinstance(field.default, tuple) else value
    try:
        return config_class(**values)
    except SettingError as error:
        name = full_name(prefix, error.field)
        raise ValueError(f"parameter {name} of {node.get_name()} {error.fault}") from error


def descriptor_of(field: "dataclasses.Field[Any]") -> ParameterDescriptor:
    """Description and bounds of a field, for ``ros2 param describe`` and for rqt."""
    descriptor = ParameterDescriptor(description=field.metadata["description"], read_only=True)
    low, high = field.metadata["low"], field.metadata["high"]
    if (low is None and high is None) or isinstance(field.default, bool):
        return descriptor
    if isinstance(field.default, int):
        descriptor.integer_range = [
            IntegerRange(
                from_value=-LARGEST_INTEGER if low is None else int(low),
                to_value=LARGEST_INTEGER if high is None else int(high),
                step=0,
            )
        ]
    elif isinstance(field.default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=-math.inf if low is None else float(low),
                to_value=math.inf if high is None else float(high),
                step=0.0,
            )
        ]
    return descriptor
