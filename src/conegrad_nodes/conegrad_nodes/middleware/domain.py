"""Where a graph runs that must meet no other: a ROS domain of its own, on this machine."""

import fcntl
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path

HIGHEST_DOMAIN = 101  # above it the ports of Fast DDS meet the ephemeral ports of Linux
LOWEST_DOMAIN = 51  # people and robots use the low numbers
RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
BUILTIN = "FASTDDS_BUILTIN_TRANSPORTS"
# Each of them leads to other machines: ROS looks for peers there, or takes another transport.
OUTWARD = ("ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS", "ROS_DISCOVERY_SERVER", BUILTIN)


@contextmanager
def own_domain(given: int | None = None) -> Iterator[int]:
    """A domain that no other user of this function has at the time.

    Args:
        given: a domain to use as it is, shared with whoever is on it.

    Raises:
        RuntimeError: if all of them are taken.
    """
    if given is not None:
        yield given
        return
    for domain in range(HIGHEST_DOMAIN, LOWEST_DOMAIN - 1, -1):
        path = Path(tempfile.gettempdir()) / f"conegrad-domain-{domain}.lock"
        try:
            file = path.open("a")
        except PermissionError:  # the lock of another person
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield domain
            return
    raise RuntimeError(f"all ROS domains from {LOWEST_DOMAIN} to {HIGHEST_DOMAIN} are taken")


def local_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process whose graph stays on this machine."""
    kept = {name: value for name, value in environment.items() if name not in OUTWARD}
    return {**kept, RANGE: "LOCALHOST"}


def is_range_chosen(environment: Mapping[str, str]) -> bool:
    """Whether an environment says which machines a graph reaches."""
    return any(environment.get(name) for name in (RANGE, *OUTWARD) if name != BUILTIN)


def keep_here(environment: MutableMapping[str, str]) -> bool:
    """Keep a process that joins a graph to this machine, unless its environment says otherwise.

    ROS itself reaches all machines of the network: each of them may send messages, change the
    state of nodes and start trainings.

    Returns:
        whether the environment said nothing.
    """
    is_open = not is_range_chosen(environment)
    if is_open:
        environment[RANGE] = "LOCALHOST"
    return is_open
