"""Ends a process that is asked to stop while it loads, in code that no signal breaks off."""

import os
import signal
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager


@contextmanager
def forced_end(numbers: Collection[int], grace: float) -> Iterator[None]:
    """End the process with exit code 0 if it is still in this block some time after a signal.

    Python calls its handlers between two of its own instructions, and a compiler of models may
    not come back to Python for long. Only for a time in which nothing is lost by that.

    Args:
        numbers: the signals; they need handlers.
        grace: time after the signal [s].
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    is_over = threading.Event()

    def watch() -> None:
        with reader:
            while number := reader.recv(1):
                if number[0] in numbers and not is_over.wait(grace):
                    os._exit(0)

    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=watch, name="forced_end", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before)
        writer.close()
