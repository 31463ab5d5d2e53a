"""Whether a topic that one node publishes has a second publisher, and whose."""

from collections.abc import Sequence

SETTLED = 2.0  # [s] a graph may take to know the name of a new node
LEASE = 30.0  # [s] after which a node that was killed is certainly out of the graph
UNKNOWN = "_UNKNOWN_"  # in the names that ROS gives to a participant without a node


class PublisherWatch:
    """Publishers of one topic by the names of their nodes; the middleware vouches for no name.

    Two publishers of one name are told later than two of different names: a node that was killed
    and started again is in the graph twice for a while.
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._several_since: float | None = None
        self._twice_since: float | None = None

    def note(self, names: Sequence[str], now: float) -> None:
        """Take the node of each publisher, as the graph says at ``now`` [s]."""
        self._names = tuple(sorted(_readable(name) for name in names))
        self._several_since = _since(self._several_since, len(set(names)) > 1, now)
        self._twice_since = _since(self._twice_since, len(names) > 1, now)

    def fault(self, topic: str, now: float) -> str:
        """What is wrong with the publishers of a topic of this name; empty if nothing is."""
        is_several = self._several_since is not None and now - self._several_since >= SETTLED
        is_twice = self._twice_since is not None and now - self._twice_since >= LEASE
        if not (is_several or is_twice):
            return ""
        return (
            f"{topic} has {len(self._names)} publishers: {', '.join(self._names)}; expected one: "
            "stop the others, or find out who they are (SECURITY.md)"
        )


def _since(before: float | None, is_so: bool, now: float) -> float | None:
    if not is_so:
        return None
    return now if before is None else before


def _readable(name: str) -> str:
    return "a participant without a node" if UNKNOWN in name else name
