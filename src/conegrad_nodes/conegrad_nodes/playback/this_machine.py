"""A graph that stays on this machine, whatever the shell says about the network."""

import logging
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from conegrad_nodes.middleware.domain import OUTWARD, RANGE, local_environment
from conegrad_nodes.middleware.transport import VARIABLES, large_messages, users_profile
from conegrad_nodes.playback.graph_process import GraphError

logger = logging.getLogger(__name__)

RMW, TESTED_RMW = "RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"
PEERS = ("initialPeersList", "discoveryServersList")  # elements of a profile of Fast DDS


@contextmanager
def on_this_machine(folder: Path) -> Iterator[None]:
    """Keep graphs that this process and its children join on this machine; with large messages.

    Args:
        folder: for files; must exist while processes start.

    Raises:
        GraphError: if the environment forbids such a graph.
    """
    check_environment()
    before = {name: os.environ.get(name) for name in (*OUTWARD, *VARIABLES, RANGE)}
    local = local_environment(os.environ)
    _set({name: local.get(name) for name in before})
    try:
        _set_peers_aside()
        with large_messages(folder):
            yield
    finally:
        _set(before)


def check_environment() -> None:
    """Refuse at once what would otherwise end in a long wait for nodes that never meet.

    Raises:
        GraphError: naming the variable, its value and what to do.
    """
    check_middleware()
    check_discovery()


def check_middleware() -> None:
    """Refuse another middleware; before rclpy is imported, which ends the process if it lacks it.

    Raises:
        GraphError: naming the variable.
    """
    chosen = os.environ.get(RMW, "")
    if chosen not in ("", TESTED_RMW):
        raise GraphError(
            f"{RMW}={chosen}{_missing(chosen)}: this command runs its own graph, "
            f"with {TESTED_RMW} alone; unset {RMW} for it"
        )


def check_discovery() -> None:
    """Refuse an environment in which processes do not find each other.

    Raises:
        GraphError: naming the variable.
    """
    found = os.environ.get(RANGE, "")
    is_overruled = os.environ.get("ROS_LOCALHOST_ONLY") == "1"  # where set, ROS ignores the range
    if found.upper() == "OFF" and not is_overruled:
        raise GraphError(
            f"{RANGE}={found} keeps the processes of this graph from finding each other: "
            "unset it, or set LOCALHOST to stay on this machine"
        )


def _missing(chosen: str) -> str:
    try:
        get_package_prefix(chosen)
    except (PackageNotFoundError, ValueError):
        return " is not installed"
    return ""


def _set_peers_aside() -> None:
    """Do without a profile that names other machines; it would reach them in spite of the range."""
    found = users_profile()
    if found is None or not _names_peers(found[1]):
        return
    logger.warning(
        "%s=%s names other machines: not used here, for this graph stays on this one", *found
    )
    for name in VARIABLES:
        os.environ.pop(name, None)


def _names_peers(path: Path) -> bool:
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, ElementTree.ParseError):
        return False  # Fast DDS goes on without it as well
    return any(element.tag.rpartition("}")[2] in PEERS for element in root.iter())


def _set(variables: Mapping[str, str | None]) -> None:
    """Set variables of the environment of this process; those with None are removed."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
