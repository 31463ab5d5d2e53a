"""This side of the live graph: publishes what a bag holds, and collects what comes out."""

import importlib
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock

from conegrad_nodes.monitoring.diagnostics import level_of

DEPTH = 200  # outputs that wait at most; they are small
INPUT_DEPTH = 5
SPIN = 0.05  # [s] between two looks at the process while waiting
NANOSECONDS = 1_000_000_000


class Output(NamedTuple):
    """A message of the graph, serialized; ``arrival`` is ``time.perf_counter()``."""

    topic: str
    msgtype: str
    data: bytes
    arrival: float


class GraphLink:
    """A node that plays inputs and listens to outputs; use it in a ``with`` statement."""

    def __init__(
        self,
        domain: int,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        on_output: Callable[[Output], None],
    ) -> None:
        """Join the graph.

        Args:
            domain: ROS domain.
            inputs: message type of each topic to publish.
            outputs: message type of each topic to listen to.
            on_output: gets each message of an output.
        """
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self._node = Node("conegrad_player", context=self._context, use_global_arguments=False)
        self._on_output = on_output
        self._problems: dict[str, str] = {}
        reliable = QoSProfile(depth=INPUT_DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        self._clock = self._node.create_publisher(Clock, "/clock", reliable)
        self._publishers = {
            topic: self._node.create_publisher(message_class(msgtype), topic, reliable)
            for topic, msgtype in inputs.items()
        }
        for topic, msgtype in outputs.items():
            self._listen(topic, msgtype)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self._executor = EventsExecutor(context=self._context)
        self._executor.add_node(self._node)

    def __enter__(self) -> "GraphLink":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._executor.remove_node(self._node)
        self._node.destroy_node()
        self._executor.shutdown()
        rclpy.try_shutdown(context=self._context)

    @property
    def problems(self) -> list[str]:
        """What the nodes say is wrong, in their own words."""
        return [f"{name}: {text}" for name, text in sorted(self._problems.items())]

    def subscribers(self, topic: str) -> int:
        """Subscriptions that listen to an input."""
        return int(self._publishers[topic].get_subscription_count())

    def set_time(self, stamp_ns: int) -> None:
        """Publish the time of the graph on ``/clock``."""
        seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
        msg = Clock()
        msg.clock.sec, msg.clock.nanosec = seconds, nanoseconds
        self._clock.publish(msg)

    def publish(self, topic: str, data: bytes) -> None:
        """Publish a serialized message."""
        self._publishers[topic].publish(data)

    def spin(self, seconds: float) -> None:
        """Serve what comes in, for at most a time [s]; returns after the first message."""
        self._executor.spin_once(seconds)

    def wait(self, is_done: Callable[[], bool], timeout: float, check: Callable[[], None]) -> bool:
        """Serve what comes in until a condition holds.

        Args:
            is_done: the condition.
            timeout: longest time to wait [s].
            check: called now and then; may raise to give up.

        Returns:
            Whether the condition holds.
        """
        end = time.perf_counter() + timeout
        while not is_done():
            remaining = end - time.perf_counter()
            if remaining <= 0:
                return False
            self.spin(min(SPIN, remaining))
            check()
        return True

    def _listen(self, topic: str, msgtype: str) -> None:
        def forward(data: bytes) -> None:
            self._on_output(Output(topic, msgtype, data, time.perf_counter()))

        qos = QoSProfile(
            depth=DEPTH,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.VOLATILE,
        )
        self._node.create_subscription(message_class(msgtype), topic, forward, qos, raw=True)

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            if level_of(status):
                self._problems[status.name] = status.message
            else:
                self._problems.pop(status.name, None)


def message_class(msgtype: str) -> Any:
    """Class of a message type such as ``sensor_msgs/msg/Image``.

    Raises:
        ImportError: if its package is not installed.
    """
    package, _, name = msgtype.partition("/msg/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def type_name(message: Any) -> str:
    """Message type of a class; the opposite of :func:`message_class`."""
    return f"{message.__module__.partition('.')[0]}/msg/{message.__name__}"


def decoded(output: Output) -> Any:
    """The message object of an output."""
    return deserialize_message(output.data, message_class(output.msgtype))
