"""A few seconds of a running graph: who publishes what, what the nodes report, what they send."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

from conegrad_data.bags.writer import BagWriter
from conegrad_data.topics.topic_roles import types_of
from conegrad_nodes.monitoring.diagnostics import level_of
from conegrad_nodes.monitoring.heartbeat import heartbeats_from_msg
from conegrad_nodes.node_base.qos import LATCHED, input_qos
from conegrad_nodes.playback.link import message_class

NAME = "conegrad_doctor"
SETTLE = 1.5  # [s] for the processes of a graph to find each other
ANSWER = 3.0  # [s] for the parameters of a node
LOOK = 0.5  # [s] between two looks at who is there
ANY_PUBLISHER = input_qos("best_effort", 50)  # a profile that every publisher fulfils
TF_STATIC = "/tf_static"
SENSORS = ("image", "camera_info", "scan", "points", "odom", "tf_static", "cones")  # roles
CLOCK = "/clock"
LARGEST = 600 * 2**20  # [bytes] of a sample: images stop there, all else goes on
IMAGES, CONES = types_of("image"), types_of("cones")


@dataclass(frozen=True)
class Endpoint:
    """A publisher or a subscription.

    Attributes:
        node: full name of its node.
        msgtype: of its messages.
        qos: profile.
    """

    node: str
    msgtype: str
    qos: QoSProfile


@dataclass
class GraphSample:
    """What was seen of a graph.

    Attributes:
        bag: folder of the recorded messages.
        seconds: how long it was recorded [s].
        nodes: full names, with repetitions.
        publishers: of each topic.
        subscriptions: likewise.
        received: messages of each topic that was recorded.
        unreadable: topics whose message package is not installed, with its type.
        statuses: the latest of each name on ``/diagnostics``.
        states: of the life cycle, by full name of each node that sends heartbeats.
        parameters: of these nodes, by full name of the parameter.
        has_clock: time comes from ``/clock``.
    """

    bag: Path
    seconds: float = 0.0
    nodes: list[str] = field(default_factory=list)
    publishers: dict[str, list[Endpoint]] = field(default_factory=dict)
    subscriptions: dict[str, list[Endpoint]] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, DiagnosticStatus] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    has_clock: bool = False

    def mismatches(self) -> Iterator[tuple[str, Endpoint, Endpoint, str]]:
        """Topic, publisher and subscription that cannot meet by their QoS, and why."""
        for topic, subscriptions in self.subscriptions.items():
            for publisher in self.publishers.get(topic, ()):
                for subscription in subscriptions:
                    if publisher.msgtype != subscription.msgtype:
                        continue
                    result, reason = qos_check_compatible(publisher.qos, subscription.qos)
                    if result == QoSCompatibility.ERROR:
                        yield topic, publisher, subscription, str(reason)


def sample_graph(
    folder: Path,
    seconds: float,
    *,
    domain: int | None = None,
    progress: Callable[[float], None] = lambda seconds: None,
) -> GraphSample:
    """Listen to a graph without taking part in it.

    Args:
        folder: takes the bag.
        seconds: how long to record.
        domain: ROS domain; None: of the environment.
        progress: is told the seconds that have passed, now and then.
    """
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    sample = GraphSample(folder / "graph")
    try:
        node = Node(NAME, context=context, use_global_arguments=False)
        executor = EventsExecutor(context=context)
        executor.add_node(node)
        with BagWriter(sample.bag) as writer:
            _Listener(node, executor, sample, writer).listen(seconds, progress)
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
    finally:
        rclpy.try_shutdown(context=context)
    return sample


class _Listener:
    """Fills a sample."""

    def __init__(
        self, node: Node, executor: EventsExecutor, sample: GraphSample, writer: BagWriter
    ) -> None:
        self._node, self._executor, self._sample, self._writer = node, executor, sample, writer
        self._size = 0
        self._is_recording = False
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)

    def listen(self, seconds: float, progress: Callable[[float], None]) -> None:
        """Look at the graph, ask the nodes, and record."""
        self._spin(SETTLE)
        self._look()
        self._is_recording, begun = True, time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            self._spin(min(LOOK, seconds - passed))
            self._look()
            progress(passed)
        self._is_recording, self._sample.seconds = False, seconds
        for name in sorted(self._sample.states):
            self._ask_parameters(name)

    def _look(self) -> None:
        """Note nodes and endpoints, and listen to the topics of sensors that are new."""
        sample, known = self._sample, {kind for role in SENSORS for kind in types_of(role)}
        sample.nodes = [
            f"{space.rstrip('/')}/{name}"
            for name, space in self._node.get_node_names_and_namespaces()
            if name != NAME
        ]
        for topic, _ in self._node.get_topic_names_and_types():
            publishers = self._endpoints(self._node.get_publishers_info_by_topic(topic))
            subscriptions = self._endpoints(self._node.get_subscriptions_info_by_topic(topic))
            sample.publishers[topic] = publishers
            sample.subscriptions[topic] = subscriptions
            msgtype = publishers[0].msgtype if publishers else ""
            is_result = any(endpoint.node in sample.states for endpoint in publishers)
            is_new = topic not in sample.received and topic not in sample.unreadable
            if is_new and (msgtype in CONES or (msgtype in known and not is_result)):
                self._subscribe(topic, msgtype)
        if sample.publishers.get(CLOCK) and not sample.has_clock:
            sample.has_clock = True
            self._node.set_parameters([Parameter("use_sim_time", value=True)])

    @staticmethod
    def _endpoints(infos: list[TopicEndpointInfo]) -> list[Endpoint]:
        return [
            Endpoint(
                f"{info.node_namespace.rstrip('/')}/{info.node_name}",
                info.topic_type,
                info.qos_profile,
            )
            for info in infos
            if info.node_name != NAME
        ]

    def _subscribe(self, topic: str, msgtype: str) -> None:
        try:
            message = message_class(msgtype)
        except ImportError:
            self._sample.unreadable[topic] = msgtype
            return
        self._sample.received[topic] = 0

        def record(data: bytes) -> None:
            self._record(topic, msgtype, data)

        qos = LATCHED if topic.endswith(TF_STATIC) else ANY_PUBLISHER
        self._node.create_subscription(message, topic, record, qos, raw=True)

    def _record(self, topic: str, msgtype: str, data: bytes) -> None:
        is_latched = topic.endswith(TF_STATIC)
        if not self._is_recording and not is_latched:
            return
        self._sample.received[topic] += 1
        if msgtype in IMAGES and self._size > LARGEST:
            return
        self._size += len(data)
        now_ns = self._node.get_clock().now().nanoseconds
        self._writer.write(topic, msgtype, now_ns, bytes(data))

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            self._sample.statuses[status.name] = status
        for beat in heartbeats_from_msg(msg):
            self._sample.states[beat.node] = beat.state

    def _ask_parameters(self, name: str) -> None:
        client = AsyncParameterClient(self._node, name)
        with contextlib.suppress(TimeoutError):
            names = self._answer(client.list_parameters([], 0)).result.names
            values = self._answer(client.get_parameters(names)).values
            found = zip(names, map(parameter_value_to_python, values), strict=True)
            self._sample.parameters |= {key: value for key, value in found if value is not None}

    def _answer(self, future: Any) -> Any:
        end = time.monotonic() + ANSWER
        while not future.done():
            if time.monotonic() > end:
                raise TimeoutError
            self._executor.spin_once(0.05)
        return future.result()

    def _spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(left)


def by_name(statuses: Mapping[str, DiagnosticStatus]) -> dict[str, tuple[int, str]]:
    """Level and text of each status."""
    return {name: (level_of(status), status.message) for name, status in statuses.items()}
