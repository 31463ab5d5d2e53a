"""Results passed on within a process, ahead of the way over the middleware.

What intra-process communication is to nodes in C++: rclpy has none. A result that a node of the
same process listens to is given to it as it is, at once and in the thread that made it; the message
is published as well, for everybody else.
"""

from collections.abc import Callable
from typing import Any

Taker = Callable[[Any, Any], None]

_takers: dict[tuple[int, str], list[Taker]] = {}  # by context, since tests have several


def listen(context: Any, topic: str, taker: Taker) -> None:
    """Let ``taker`` have each message and its decoded result of a resolved topic."""
    _takers.setdefault((id(context), topic), []).append(taker)


def leave(context: Any, topic: str, taker: Taker) -> None:
    """Give a taker nothing more; one that does not listen is no fault."""
    left = [known for known in _takers.get((id(context), topic), []) if known != taker]
    if left:
        _takers[id(context), topic] = left
    else:
        _takers.pop((id(context), topic), None)


def hand_over(context: Any, topic: str, msg: Any, result: Any) -> None:
    """Give a message and its decoded result to those in this process that listen to a topic."""
    for taker in _takers.get((id(context), topic), ()):
        taker(msg, result)
