"""Processes that compute for another one, and end when it does."""

import gc
import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

ORPHANED = 1  # exit code

T = TypeVar("T")


@contextmanager
def forking() -> Iterator[None]:
    """Fork workers in this block, and do nothing else; each has to call :func:`start_forked` first.

    A fork also copies what this process no longer needs and has not collected yet. A worker that
    collected it would end it a second time, and without its threads: a context of ROS crashes the
    worker then. So that nothing is collected between the fork and :func:`start_forked`, the
    garbage collection is off in this block.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_ahead(loader: Iterable[T]) -> Iterator[T]:
    """Iterator of a ``DataLoader``, whose workers are forked now and call :func:`start_forked`."""
    with forking():
        return iter(loader)


def start_forked(_worker: int = 0) -> None:
    """Leave to the parent what was copied from it, collect what is new, and end with the parent.

    Called first in a worker that was forked within :func:`forking`, also by a ``DataLoader``,
    which passes a number.
    """
    gc.freeze()
    gc.enable()
    end_with_parent()


def end_with_parent(_worker: int = 0) -> None:
    """End this process as soon as the one that started it is gone, however that ended.

    A parent that is killed closes no pool: its workers would wait for jobs, or to be rid of a
    result, for ever. Called first in a worker of ``multiprocessing``, ``concurrent.futures`` or a
    ``DataLoader``, which passes a number; in another process it does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(ORPHANED)  # the main thread may sit in a write that nobody reads

    threading.Thread(target=wait, name="end_with_parent", daemon=True).start()
