"""Runs nodes until they are asked to stop."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions

from conegrad_nodes.middleware.domain import RANGE, keep_here
from conegrad_nodes.middleware.transport import large_messages
from conegrad_nodes.node_base.forced_end import forced_end

WAKE_PERIOD = 0.05  # [s] between two checks whether the process was asked to stop
GRACE = 3.0  # [s] from a signal amid the start to the end; launch itself gets impatient after 5 s
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SWITCH_INTERVAL = 2e-3  # [s] after which a busy Python thread lets the next one run


class StartedNode(Protocol):
    """A node that does something before messages are served; this file loads no models for it."""

    def start(self) -> None:
        """Load and activate, if it wants to."""


def run(node_classes: Sequence[Callable[[], StartedNode]]) -> None:
    """Run nodes in one process; SIGINT, SIGTERM and SIGHUP end it with exit code 0.

    Whatever ends it, an exception of a callback included, each node is destroyed while it can
    still publish, so that ``destroy_node`` may say a last word. A setting that a node refuses ends
    it with exit code 1 and one line. Other machines are met only where the environment says so.
    """
    if torch := sys.modules.get("torch"):  # as nodes with a model have it
        torch.set_num_threads(1)
    sys.setswitchinterval(SWITCH_INTERVAL)
    stop = _StopSignal()
    is_kept_here = keep_here(os.environ)
    # The handlers of rclpy would end the context at once, and with it all publishers.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    if is_kept_here:
        get_logger("network").info(f"meets this machine alone: {RANGE}=SUBNET reaches others")
    nodes: list[Any] = []
    executor = EventsExecutor()
    try:
        with stop.breaking_off():
            with large_messages(interfaces=""):
                for node_class in node_classes:
                    nodes.append(_made(node_class))
                    executor.add_node(nodes[-1])
            for node in nodes:
                node.start()
                stop.check()  # rclpy swallows what is raised amid a transition
        _spare_collector()
        # Not executor.spin(): in rclpy 7.1.5 it burns a core and serves no timer.
        while rclpy.ok() and not stop.is_set:
            executor.spin_once(WAKE_PERIOD)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        if stop.is_broken_off:
            return  # a KeyboardInterrupt amid a library comes out as another error
        if rclpy.ok() or not isinstance(error, RuntimeError):
            raise
        # The context was ended amid a callback: nothing can be published, which is no fault.
    finally:
        for node in nodes:
            executor.remove_node(node)
            node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()


def _made(node_class: Callable[[], StartedNode]) -> StartedNode:
    try:
        return node_class()
    except ValueError as error:
        raise SystemExit(str(error)) from error


def _spare_collector() -> None:
    """Take libraries and models out of the garbage collection, which halts all threads.

    Walking over their half a million objects takes 50 ms and more, now and then amid a pair.
    """
    gc.collect()
    gc.freeze()


class _StopSignal:
    """Handler of the signals that end a process; several of them count as one.

    A signal breaks off the start. Later it is only noted: a KeyboardInterrupt amid the C++ of the
    executor would come out as another error.
    """

    def __init__(self) -> None:
        self.is_set = self.is_broken_off = self._is_breaking_off = False
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has SIGHUP
                signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        was_set, self.is_set = self.is_set, True
        if self._is_breaking_off and not was_set:
            self.is_broken_off = True
            raise KeyboardInterrupt

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """Let the first signal raise KeyboardInterrupt."""
        self._is_breaking_off = True
        try:
            self.check()
            with forced_end(SIGNALS, GRACE):
                yield
        finally:
            self._is_breaking_off = False

    def check(self) -> None:
        """Raise KeyboardInterrupt after a signal."""
        if self.is_set:
            raise KeyboardInterrupt
