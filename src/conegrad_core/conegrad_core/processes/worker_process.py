"""Processes that compute for another one, and end when it does."""

import multiprocessing
import os
import threading

ORPHANED = 1  # exit code


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
