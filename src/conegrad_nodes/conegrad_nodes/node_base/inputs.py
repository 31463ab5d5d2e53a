"""A subscription that keeps a record of itself and skips messages that cannot be used."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_policy_name_from_kind

from conegrad_data.decode import DecodeError, stamp_ns_from_msg
from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_data.status.part_status import PartStatus
from conegrad_nodes.monitoring.publisher_names import PublisherNames
from conegrad_nodes.node_base import intra_process
from conegrad_nodes.node_base.passing_time import PassingTime

LOG_PERIOD = 1.0  # [s] between two log lines about skipped messages of one topic
REMEMBERED = 64  # stamps of intra-process results, whose messages arrive later


class Input:
    """One input of a node.

    Args:
        node: subscribes.
        msgtype: message class.
        topic: relative name.
        handler: gets the message and the ``time.perf_counter()`` of its arrival; messages on
            which it raises DecodeError are counted and skipped.
        qos: profile of the subscription.
        result_handler: gets the intra-process results of a node of this process: message, decoded
            result and time of arrival, in the thread of that node; it may raise DecodeError
            likewise. The message itself is then skipped.
        read: message of a serialized one, for types that rclpy is slow at; None: rclpy reads it.
        options: further fields of :class:`InputRecord`.
    """

    def __init__(
        self,
        node: Node,
        msgtype: Any,
        topic: str,
        handler: Callable[[Any, float], None],
        qos: QoSProfile,
        result_handler: Callable[[Any, Any, float], None] | None = None,
        read: Callable[[bytes], Any] | None = None,
        **options: Any,
    ) -> None:
        self._node, self._msgtype, self._topic = node, msgtype, topic
        self._handler, self._qos, self._options = handler, qos, options
        self._result_handler, self._read = result_handler, read
        self._time = PassingTime(node)
        self._known_stamps: deque[int] = deque(maxlen=REMEMBERED)
        self._subscription: Any = None
        self._last_log = -LOG_PERIOD
        self._names = PublisherNames(node, node.resolve_topic_name(topic))
        self.record = self._new_record()

    def open(self) -> None:
        """Subscribe, with a fresh record."""
        self.record = self._new_record()
        self._known_stamps.clear()
        self._subscription = self._node.create_subscription(
            self._msgtype,
            self._topic,
            self._on_message if self._read is None else self._on_serialized,
            self._qos,
            raw=self._read is not None,
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible),
        )
        if self._result_handler is not None:
            intra_process.subscribe(self._node.context, self.record.topic, self._on_result)

    def close(self) -> None:
        """Unsubscribe."""
        intra_process.unsubscribe(self._node.context, self.record.topic, self._on_result)
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    def refuse(self, error: DecodeError) -> None:
        """Count and log a message that cannot be used; for handlers that decode later."""
        now = self._time.now()
        self.record.refuse(str(error), now)
        if now - self._last_log >= LOG_PERIOD:
            self._last_log = now
            self._node.get_logger().warning(
                f"skipped a message on {self.record.topic} ({self.record.refused} so far): {error}"
            )

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Refuse the message at hand on a DecodeError; everything else is raised."""
        try:
            yield
        except DecodeError as error:
            self.refuse(error)

    def status(self) -> PartStatus:
        """The state of the input."""
        now = self._time.now()
        if self._subscription is not None and (names := self._names.due()) is not None:
            self.record.publishers.note(names, now)
        return input_status(self.record, self._publishers, now)

    def _publishers(self) -> list[str]:
        """Message type of each publisher; asking the graph takes a millisecond."""
        topic = self.record.topic
        return [info.topic_type for info in self._node.get_publishers_info_by_topic(topic)]

    def _new_record(self) -> InputRecord:
        package, _, _name = self._msgtype.__module__.partition(".msg.")
        return InputRecord(
            self._node.resolve_topic_name(self._topic),
            f"{package}/msg/{self._msgtype.__name__}",
            **self._options,
        )

    def _on_serialized(self, data: bytes) -> None:
        arrival = time.perf_counter()
        if self._read is None:
            return
        try:
            msg = self._read(data)
        except DecodeError as error:
            self.record.arrive(self._time.now())
            self.refuse(error)
            return
        self._receive(msg, arrival)

    def _on_message(self, msg: Any) -> None:
        self._receive(msg, time.perf_counter())

    def _receive(self, msg: Any, arrival: float) -> None:
        with self.skipping():
            if self._known_stamps and _stamp_ns(msg) in self._known_stamps:
                return
            self._note(msg)
            self._handler(msg, arrival)

    def _on_result(self, msg: Any, result: Any) -> None:
        arrival = time.perf_counter()
        if self._result_handler is None:
            return
        with self.skipping():
            self._known_stamps.append(_stamp_ns(msg))
            self._note(msg)
            self._result_handler(msg, result, arrival)

    def _note(self, msg: Any) -> None:
        now = self._time.now()
        data = getattr(msg, "data", ())
        self.record.size = len(data) if hasattr(data, "__len__") else 0  # it may be one number
        try:
            stamp_ns = _stamp_ns(msg) if hasattr(msg, "header") else None
        except DecodeError:
            self.record.arrive(now)
            raise
        if stamp_ns is None:
            self.record.arrive(now)
        else:
            self.record.note(stamp_ns, self._node.get_clock().now().nanoseconds, now)

    def _on_incompatible(self, event: QoSRequestedIncompatibleQoSInfo) -> None:
        self.record.incompatible_policy = qos_policy_name_from_kind(event.last_policy_kind).lower()


def _stamp_ns(msg: Any) -> int:
    return stamp_ns_from_msg(msg.header.stamp)
