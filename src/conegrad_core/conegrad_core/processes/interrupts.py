"""Ctrl-C between two steps of a task, never within one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def delay_interrupts() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the function that is given is called, which raises it.

    Half a step of a training cannot be kept: weights, statistics and moments would be of two steps.
    Processes that are half started report an error each. A second Ctrl-C does not wait. Where
    SIGINT is not the business of this thread nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    pressed: list[int] = []

    def hold(number: int, frame: Any) -> None:
        if pressed:
            before(number, frame)
        pressed.append(number)

    def release() -> None:
        if pressed:
            before(pressed[0], None)

    signal.signal(signal.SIGINT, hold)
    try:
        yield release
    finally:
        signal.signal(signal.SIGINT, before)
