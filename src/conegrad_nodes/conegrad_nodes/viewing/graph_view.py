"""A running graph into a feed: listens to what people look at, while they look."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import rclpy
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile

from conegrad_data.topics.topic_roles import types_of
from conegrad_data.topics.topics import NONE
from conegrad_nodes.middleware.transport import large_messages
from conegrad_nodes.node_base.qos import LATCHED, input_qos
from conegrad_nodes.node_base.static_transforms import TF_STATIC
from conegrad_nodes.playback.link import message_class
from conegrad_nodes.view_server.feed import ViewFeed

NAME = "conegrad_view"
LOOK = 0.5  # [s] between two looks at who publishes
SPIN = 0.05  # [s] between two looks whether to stop
ANY_PUBLISHER = input_qos("best_effort", 5)  # a profile that every publisher fulfils
MANY_STATUSES = input_qos("best_effort", 100)
DIAGNOSTICS, STATIC_FRAMES = "/diagnostics", "/tf_static"
TF_TYPE = "tf2_msgs/msg/TFMessage"
# Topics of each role, relative to the namespace, in the order in which they are preferred.
SHOWN = {
    "image": ("image_raw/compressed", "image_raw"),
    "detections": ("detections",),
    "segmentation": ("segmentation",),
    "scan": ("scan", "points"),
    "cones": ("cones",),
    "odom": ("odom",),
    "truth": ("truth",),
}
EXPECTED = ("image", "scan", "cones")
LATENCY_TYPE, LATENCY_END = "std_msgs/msg/Float64", "_latency"
SHOWN_TYPES = {LATENCY_TYPE}.union(*(types_of(role) for role in (*SHOWN, "points")))


class GraphView:
    """A node that listens to a graph; use it in a ``with`` statement.

    Diagnostics are small and always taken. To images, scans and results it only subscribes while
    somebody looks, so that a view that is left running costs the graph nothing.
    """

    def __init__(
        self,
        feed: ViewFeed,
        *,
        namespace: str = "",
        topics: Mapping[str, str] | None = None,
        domain: int | None = None,
    ) -> None:
        """Join the graph.

        Args:
            feed: gets the messages.
            namespace: of the nodes.
            topics: topic of each role that has another one than usual; ``none`` leaves it out.
            domain: ROS domain; None: of the environment.
        """
        self._feed, self._topics = feed, dict(topics or {})
        self._context = rclpy.Context()
        self._subscriptions: dict[str, Any] = {}  # by topic; while somebody looks
        with large_messages(interfaces=""):
            rclpy.init(context=self._context, domain_id=domain)
            self._node = Node(
                NAME,
                context=self._context,
                namespace=namespace,
                use_global_arguments=False,
                start_parameter_services=False,
            )
        self._executor = EventsExecutor(context=self._context)
        self._executor.add_node(self._node)
        feed.expect([role for role in EXPECTED if self._topics.get(role) != NONE])
        self._subscribed_to(DIAGNOSTICS, "diagnostic_msgs/msg/DiagnosticArray", MANY_STATUSES)
        if TF_STATIC is not None:
            self._subscribed_to(STATIC_FRAMES, TF_TYPE, LATCHED)

    def __enter__(self) -> "GraphView":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.remove_node(self._node)
        self._node.destroy_node()
        self._executor.shutdown()
        rclpy.try_shutdown(context=self._context)

    def listen(self, is_done: Callable[[], bool] = lambda: False) -> None:
        """Take messages until a condition holds, or a KeyboardInterrupt.

        Args:
            is_done: the condition.
        """
        last_look = float("-inf")
        while not is_done():
            self._executor.spin_once(SPIN)
            if time.monotonic() - last_look >= LOOK:
                last_look = time.monotonic()
                self._follow_publishers()

    def _follow_publishers(self) -> None:
        """Subscribe to what is published and looked at; unsubscribe from all else."""
        wanted = self._wanted() if self._feed.is_watched else {}
        for topic in self._subscriptions.keys() - wanted.keys():
            self._node.destroy_subscription(self._subscriptions.pop(topic))
        for topic in wanted.keys() - self._subscriptions.keys():
            self._subscriptions[topic] = self._subscribed_to(topic, wanted[topic], ANY_PUBLISHER)
        nodes = len(self._node.get_node_names()) - 1
        here = f"in {self._node.get_namespace()}, domain {self._context.get_domain_id()}"
        self._feed.say(f"listening {here}: {nodes} other nodes, {len(wanted)} topics are shown")

    def _wanted(self) -> dict[str, str]:
        """Message type of each topic that is shown, of those that somebody publishes."""
        published = {
            topic: types[0]
            for topic, types in self._node.get_topic_names_and_types()
            if types[0] in SHOWN_TYPES and self._node.count_publishers(topic)
        }
        wanted = {}
        for role, names in SHOWN.items():
            given = self._topics.get(role) or (role == "scan" and self._topics.get("points")) or ""
            resolved = (self._node.resolve_topic_name(n) for n in ([given] if given else names))
            found = next((topic for topic in resolved if topic in published), None)
            if found is not None and given != NONE:
                wanted[found] = published[found]
        space = self._node.get_namespace().rstrip("/") + "/"
        for topic, msgtype in published.items():
            is_latency = msgtype == LATENCY_TYPE and topic.endswith(LATENCY_END)
            if is_latency and topic.startswith(space):
                wanted[topic] = msgtype
        return wanted

    def _subscribed_to(self, topic: str, msgtype: str, qos: QoSProfile) -> Any:
        def forward(data: bytes) -> None:
            self._feed.note(topic, msgtype, data)

        return self._node.create_subscription(message_class(msgtype), topic, forward, qos, raw=True)
