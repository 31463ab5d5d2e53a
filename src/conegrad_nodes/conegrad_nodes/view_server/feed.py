"""The newest messages of a graph, kept as they came until somebody looks."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from conegrad_data.topics.topic_roles import ROLES, types_of

KEPT_MESSAGES = 100  # of a topic
KEPT_ARRIVALS = 1000  # of a topic
KEPT_BYTES = 32 * 2**20  # of a topic
RATE_WINDOW = 3.0  # [s] over which rates are counted
WATCHED = 3.0  # [s] that a look counts
DIAGNOSTICS = "diagnostics"
ROLE_OF_TYPE = {
    "diagnostic_msgs/msg/DiagnosticArray": DIAGNOSTICS,
    **{msgtype: role for role in ROLES for msgtype in types_of(role)},
}


class FeedMessage(NamedTuple):
    """A serialized message.

    Attributes:
        topic: of the graph.
        msgtype: such as ``sensor_msgs/msg/Image``.
        data: CDR bytes.
        arrival: ``time.monotonic()`` [s].
        number: of the message in its feed, from 1.
    """

    topic: str
    msgtype: str
    data: bytes
    arrival: float
    number: int


class TopicTraffic(NamedTuple):
    """How often a topic comes.

    Attributes:
        topic: of the graph.
        msgtype: of its messages.
        rate: messages per second over the last seconds.
        age: of the newest message [s].
    """

    topic: str
    msgtype: str
    rate: float
    age: float


class ViewFeed:
    """Takes what a run sends, from any thread, and keeps the newest of it.

    Nothing is decoded here: a run that nobody looks at pays for keeping a reference alone, and a
    slow reader misses messages without holding anything up.

    Attributes:
        title: what is run.
        expected: roles whose messages are missed where none comes.
        watched_since: when somebody began to look, after a while without anybody [s].
    """

    def __init__(self, title: str, expected: Sequence[str] = ()) -> None:
        """Begin without messages.

        Args:
            title: what is run, for people.
            expected: roles of topics, such as ``image``, in the order in which they are named.
        """
        self.title, self.expected = title, tuple(expected)
        self.watched_since = time.monotonic()
        self._lock = threading.Lock()
        self._topics: dict[str, deque[FeedMessage]] = {}
        self._by_role: dict[str, str] = {}
        self._arrivals: dict[str, deque[float]] = {}
        self._figures: dict[str, str] = {}
        self._curves = _Curves()
        self._activity = "starting"
        self._number = 0
        self._last_look = float("-inf")

    def note(self, topic: str, msgtype: str, data: bytes) -> None:
        """Keep a serialized message."""
        now = time.monotonic()
        with self._lock:
            self._number += 1
            kept = self._topics.get(topic)
            if kept is None:
                kept = self._topics[topic] = deque(maxlen=KEPT_MESSAGES)
                self._arrivals[topic] = deque(maxlen=KEPT_ARRIVALS)
            if msgtype in ROLE_OF_TYPE:
                self._by_role[ROLE_OF_TYPE[msgtype]] = topic
            kept.append(FeedMessage(topic, msgtype, data, now, self._number))
            self._arrivals[topic].append(now)
            # Messages of a topic have about one size: the newest one stands for all.
            while len(kept) > 1 and len(kept) * len(data) > KEPT_BYTES:
                kept.popleft()

    def show(self, figures: Mapping[str, str]) -> None:
        """Replace the figures of a run: texts by name."""
        with self._lock:
            self._number += 1
            self._figures = dict(figures)

    def plot(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to the curve of each name."""
        with self._lock:
            self._number += 1
            self._curves.add(step, values)

    def say(self, activity: str) -> None:
        """What the run is doing, in a few words."""
        with self._lock:
            self._number += 1
            self._activity = activity

    @property
    def number(self) -> int:
        """Of the newest change."""
        return self._number

    @property
    def activity(self) -> str:
        """What the run is doing."""
        return self._activity

    @property
    def figures(self) -> dict[str, str]:
        """Of the run, by name."""
        return self._figures

    @property
    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Points ``(step, value)`` of each curve."""
        with self._lock:
            return self._curves.points()

    def recent(self, topic_or_role: str) -> list[FeedMessage]:
        """The messages that are kept of a topic, or of the topic of a role, oldest first."""
        with self._lock:
            topic = self._by_role.get(topic_or_role, topic_or_role)
            return list(self._topics.get(topic, ()))

    def newest(self, topic_or_role: str) -> FeedMessage | None:
        """The newest message of a topic, or of the topic of a role; None before the first."""
        with self._lock:
            kept = self._topics.get(self._by_role.get(topic_or_role, topic_or_role))
            return kept[-1] if kept else None

    def traffic(self) -> list[TopicTraffic]:
        """How often each topic comes, by name."""
        now = time.monotonic()
        with self._lock:
            return [
                TopicTraffic(
                    topic, kept[-1].msgtype, _rate(self._arrivals[topic], now),
                    now - kept[-1].arrival,
                )
                for topic, kept in sorted(self._topics.items())
            ]  # fmt: skip

    def expect(self, roles: Sequence[str]) -> None:
        """Replace the roles whose messages are missed where none comes."""
        self.expected = tuple(roles)

    def look(self) -> None:
        """Somebody looks now."""
        now = time.monotonic()
        if not self.is_watched:
            self.watched_since = now
        self._last_look = now

    @property
    def is_watched(self) -> bool:
        """Whether somebody looked within the last seconds."""
        return time.monotonic() - self._last_look < WATCHED


def _rate(arrivals: Sequence[float], now: float) -> float:
    """Messages per second over the last seconds, from the first message on."""
    recent = sum(now - arrival <= RATE_WINDOW for arrival in arrivals)
    return recent / max(min(RATE_WINDOW, now - arrivals[0]), 1.0)


class _Curves:
    """Points of several curves over one axis, thinned so that their number stays bounded."""

    MOST = 400  # points of a curve

    def __init__(self) -> None:
        self._curves: dict[str, list[tuple[int, float]]] = {}
        self._last: dict[str, tuple[int, float]] = {}
        self._stride, self._count = 1, 0

    def add(self, step: int, values: Mapping[str, float]) -> None:
        self._last = {name: (step, value) for name, value in values.items()}
        if self._count % self._stride == 0:
            for name, point in self._last.items():
                self._curves.setdefault(name, []).append(point)
            if max(map(len, self._curves.values()), default=0) >= self.MOST:
                self._curves = {name: points[::2] for name, points in self._curves.items()}
                self._stride *= 2
        self._count += 1

    def points(self) -> dict[str, list[tuple[int, float]]]:
        return {
            name: [*points, self._last[name]]
            if name in self._last and points[-1] != self._last[name]
            else list(points)
            for name, points in self._curves.items()
        }
