"""Runs the slow part of a callback in a thread of its own, always on the latest message."""

import threading
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Arrived(NamedTuple):
    """A message and the ``time.perf_counter()`` of its arrival."""

    msg: Any
    arrival: float


class LatestWorker(Generic[T]):
    """Calls a function with the latest submitted item, one at a time.

    While the function runs, one item waits; a newer one takes its place, so that a model that is
    slower than its sensor works on fresh data, and other callbacks are served meanwhile.

    Args:
        function: runs in the thread of the worker.
        name: of the thread, shown by debuggers.
    """

    def __init__(self, function: Callable[[T], None], name: str) -> None:
        self._function = function
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._is_stopped = False
        self._failure: BaseException | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: T) -> None:
        """Hand over an item; replaces one that still waits."""
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting = [item]
            self._changed.notify()

    def raise_failure(self) -> None:
        """Raise what ended the thread, if anything did; else do nothing."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Let the current call end and drop what waits; raises what ended the thread before."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._function(item)
        except BaseException as failure:
            # Raised again in the thread of the executor, where it ends the node.
            self._failure = failure

    def _next(self) -> T | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopped)
            return None if self._is_stopped else self._waiting.pop()
