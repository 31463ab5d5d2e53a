"""Scans give way to an image: with few cores both at once make the image late.

A network on an image takes all cores; a scan that runs beside it takes one of them away, and the
other threads of the network wait for that one. A scan takes a tenth of the time of an image, so it
runs right after it instead. Only nodes of one process give way to each other.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# By context, since a process may have several; those of one that is gone are gone with it.
_clear: weakref.WeakKeyDictionary[Any, threading.Event] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _clear_of(context: Any) -> threading.Event:
    with _lock:
        event = _clear.get(context)
        if event is None:
            event = _clear[context] = threading.Event()
            event.set()
        return event


@contextmanager
def in_flight(context: Any) -> Iterator[None]:
    """While an image is worked on: scans of the same process wait."""
    event = _clear_of(context)
    event.clear()
    try:
        yield
    finally:
        event.set()


def wait_for_image(context: Any, longest: float) -> None:
    """Wait until no image is in flight, for at most a time [s]."""
    if longest > 0:
        _clear_of(context).wait(longest)
