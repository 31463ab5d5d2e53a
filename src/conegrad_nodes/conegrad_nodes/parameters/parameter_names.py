"""Parameters that are given but that no node has: ROS would ignore them without a word."""

from collections.abc import Iterable, Sequence
from typing import Any

from conegrad_core.settings import Config
from conegrad_core.settings.names import fields_by_name, unknown_fault
from conegrad_core.settings.values import kinds_of
from conegrad_nodes.parameters.node_settings import NODE_SETTINGS

# Every node of ROS has these, or takes what begins like this.
OF_ROS = ("use_sim_time", "start_type_description_service")
# Of the program that runs several nodes: all of them are given these.
OF_PROGRAM = ("nodes", "stages")
PREFIX_OF_ROS = "qos_overrides."


def full_name(prefix: str, name: str) -> str:
    """Name of the parameter of a setting: ``detector.weights``; without a prefix, its own."""
    return f"{prefix}.{name}" if prefix else name


def names_of(parts: Iterable[tuple[str, type[Config]]]) -> list[str]:
    """Full names of the parameters of settings with their prefixes, earlier names included."""
    names = {full_name(prefix, name) for prefix, part in parts for name in fields_by_name(part)}
    return sorted(names)


def kinds_by_name(parts: Iterable[tuple[str, type[Config]]]) -> dict[str, Any]:
    """Kind of each of these parameters by its full name, earlier names included."""
    return {
        full_name(prefix, name): kinds_of(part)[field]
        for prefix, part in parts
        for name, field in fields_by_name(part).items()
    }


def known_names() -> list[str]:
    """Full names of the parameters of all three nodes."""
    return names_of(part for parts in NODE_SETTINGS.values() for part in parts.items())


def explain_unknown(
    given: Iterable[str], known: Sequence[str] | None = None, listed: str = ""
) -> list[str]:
    """One line for each name that is no parameter of any node, with the nearest that is.

    A name of another node is no fault: sections such as ``/**`` are read by all of them.

    Args:
        given: full names.
        known: those that exist; None: those of the three nodes of the perception.
        listed: what follows where no known name is near; empty: where they stand, or all of them.
    """
    if not listed:
        listed = ": docs/parameters.md lists all" if known is None else f", expected one of {known}"
    known = known_names() if known is None else known
    lines = []
    for name in sorted(set(given) - {*known, *OF_ROS, *OF_PROGRAM}):
        if name.startswith(PREFIX_OF_ROS):
            continue
        lines.append(f"parameter {name} {unknown_fault(name, known, listed)}")
    return lines


def check_names(given: Iterable[str], known: Sequence[str] | None = None, listed: str = "") -> None:
    """Refuse names that are no parameter of any node; arguments as of :func:`explain_unknown`.

    Raises:
        ValueError: naming all of them.
    """
    lines = explain_unknown(given, known, listed)
    if lines:
        raise ValueError("; ".join(lines))
