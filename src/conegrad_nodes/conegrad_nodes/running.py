"""Runs nodes until they are told to stop."""

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
import torch
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor

from conegrad_nodes.model_node import PerceptionNode

WAKE_PERIOD = 0.5  # [s] between two looks whether the process was told to stop
SWITCH_INTERVAL = 2e-3  # [s] after which a busy Python thread lets the next one run


def run(node_classes: Sequence[Callable[[], PerceptionNode]]) -> None:
    """Run nodes in one process; SIGINT and SIGTERM end it with exit code 0.

    A setting that a node refuses ends it with exit code 1 and one line.
    """
    torch.set_num_threads(1)
    sys.setswitchinterval(SWITCH_INTERVAL)
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt)  # rclpy.init adds its own handler before this one
    rclpy.init()
    nodes: list[PerceptionNode] = []
    executor = EventsExecutor()
    try:
        for node_class in node_classes:
            nodes.append(_made(node_class))
            executor.add_node(nodes[-1])
        for node in nodes:
            node.start()
        interrupt.is_starting = False
        _spare_collector()
        # Not executor.spin(): in rclpy 7.1.5 it burns a core and serves no timer.
        while rclpy.ok():
            executor.spin_once(WAKE_PERIOD)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:
        if rclpy.ok():
            raise
        # Told to stop amid a callback: nothing can be published any more, which is no fault.
    finally:
        for node in nodes:
            executor.remove_node(node)
            node.destroy_node()
        executor.shutdown()
        rclpy.try_shutdown()


def _made(node_class: Callable[[], PerceptionNode]) -> PerceptionNode:
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


class _Interrupt:
    """Handler of SIGINT: breaks off the start; later rclpy ends its context, which is enough.

    A KeyboardInterrupt amid the C++ of the executor would come out as another error.
    """

    def __init__(self) -> None:
        self.is_starting = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.is_starting:
            raise KeyboardInterrupt
