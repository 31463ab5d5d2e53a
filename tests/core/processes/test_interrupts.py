"""Ctrl-C that is held back until a task can be left."""

import os
import signal
import time

import pytest

from conegrad_core.processes.interrupts import delay_interrupts


@pytest.fixture(autouse=True)
def raising():
    """Ctrl-C raises, as in a program that runs in the foreground."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # handlers run between two steps of the interpreter


def press_within(done, *, released):
    with delay_interrupts() as release:
        press()
        done.append("after the first press")
        if released:
            release()
        press()
        done.append("not reached")


@pytest.mark.parametrize("released", [True, False])
def test_the_first_press_waits_until_it_is_released_and_the_second_does_not(released):
    done = []
    with pytest.raises(KeyboardInterrupt):
        press_within(done, released=released)
    assert done == ["after the first press"]


def test_without_a_press_nothing_is_released_and_the_handler_is_back():
    with delay_interrupts() as release:
        release()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
