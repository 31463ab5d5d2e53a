"""Serves a feed to Foxglove by its SDK: what a client subscribes to is made, nothing else.

Scans, odometry, diagnostics and latencies are passed on as they came; cones, boxes, the picture and
frames are made of Foxglove's own schemas. The SDK drops the oldest messages of a slow client.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import foxglove
from foxglove.channels import (
    CompressedImageChannel,
    FrameTransformsChannel,
    ImageAnnotationsChannel,
    LogChannel,
    SceneUpdateChannel,
)
from foxglove.messages import Log, LogLevel

from conegrad_data.bags.types import default_typestore
from conegrad_data.decode import DecodeError, read_header
from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import FeedMessage, ViewFeed
from conegrad_nodes.view_server.foxglove_messages import (
    boxes_from_msg,
    frames_from_msgs,
    picture_from_msg,
    scene_from_msg,
    stamp_of,
)
from conegrad_nodes.view_server.statuses import Statuses, missing
from conegrad_nodes.view_server.web_server import ANY_ADDRESS, LOOPBACK

PERIOD = 0.03  # [s] between two looks for news while somebody is subscribed
IDLE_PERIOD = 0.25  # [s] between two looks whether somebody is
SLOW_PERIOD = 1.0  # [s] between frames, figures and what is missing
BACKLOG = 32  # messages that wait for a slow client
JUMP = 1_000_000_000  # [ns] back: a bag begins anew
STOP_TIMEOUT = 5.0  # [s]
PASSED_ON = (
    "diagnostic_msgs/msg/DiagnosticArray",
    "nav_msgs/msg/Odometry",
    "sensor_msgs/msg/CameraInfo",
    "sensor_msgs/msg/LaserScan",
    "sensor_msgs/msg/PointCloud2",
    "std_msgs/msg/Float64",
)
# Of these every message counts: they are small, and each one says something about another thing.
UNABRIDGED = ("diagnostic_msgs/msg/DiagnosticArray", "std_msgs/msg/Float64")


class FoxgloveServer:
    """Serves a feed in a thread of its own; use it in a ``with`` statement.

    Attributes:
        address: for Foxglove's "Open connection", such as ``ws://127.0.0.1:8765``.
    """

    def __init__(self, feed: ViewFeed, port: int, *, is_open: bool = False) -> None:
        """Take the port.

        Args:
            feed: what is shown.
            port: 0 takes a free one.
            is_open: serve other machines as well.

        Raises:
            OSError: if the port cannot be had; names it.
        """
        self._feed, self._statuses = feed, Statuses(feed)
        self._context = foxglove.Context()
        host = ANY_ADDRESS if is_open else LOOPBACK
        self._server = _started(feed.title, host, port, self._context)
        self.address = f"ws://{LOOPBACK}:{self._server.port}"
        context = self._context
        # Role, channel, and how its messages are made.
        self._made: tuple[tuple[str, Any, Callable[[Any], Any]], ...] = (
            ("image", CompressedImageChannel("/view/camera", context=context), picture_from_msg),
            ("detections", ImageAnnotationsChannel("/view/boxes", context=context), boxes_from_msg),
            ("cones", SceneUpdateChannel("/view/cones", context=context), scene_from_msg),
        )
        self._frames = FrameTransformsChannel("/tf", context=context)
        self._log = LogChannel("/view/log", context=context)
        self._figures = foxglove.Channel("/view/figures", context=context, message_encoding="json")
        self._curves = foxglove.Channel("/view/curves", context=context, message_encoding="json")
        self._passed: dict[str, foxglove.Channel] = {}  # by topic
        self._sent: dict[str, int] = {}  # number of the newest message that was sent, by topic
        self._now_ns = 0
        self._slow_due = 0.0
        self._said: dict[str, list[str]] = {}  # newest lines about each thing
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="Foxglove view", daemon=True)

    def __enter__(self) -> "FoxgloveServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(STOP_TIMEOUT)
        self._server.stop()

    def _serve(self) -> None:
        period = IDLE_PERIOD
        while not self._stop.wait(period):
            self._offer_topics()
            channels = [channel for _, channel, _ in self._made]
            channels += [self._frames, self._log, self._figures, self._curves]
            is_watched = any(channel.has_sinks() for channel in (*channels, *self._passed.values()))
            period = PERIOD if is_watched else IDLE_PERIOD
            if is_watched:
                self._feed.look()
                self._send()

    def _offer_topics(self) -> None:
        """A channel for each new topic whose messages Foxglove reads as they are."""
        for entry in self._feed.traffic():
            if entry.topic not in self._passed and entry.msgtype in PASSED_ON:
                definition, _ = default_typestore().generate_msgdef(entry.msgtype, ros_version=2)
                schema = foxglove.Schema(
                    name=entry.msgtype, encoding="ros2msg", data=definition.encode()
                )
                self._passed[entry.topic] = foxglove.Channel(
                    entry.topic, schema=schema, message_encoding="cdr", context=self._context
                )

    def _send(self) -> None:
        self._set_time()
        for role, channel, make in self._made:
            message = self._feed.newest(role)
            if channel.has_sinks() and message is not None and self._is_news(role, message):
                try:
                    channel.log(make(decoded(message)), log_time=self._now_ns)
                except DecodeError as error:
                    self._tell(role, [f"{message.topic} cannot be shown: {error}"])
        for topic, channel in self._passed.items():
            if channel.has_sinks():
                self._pass_on(topic, channel)
        if time.monotonic() >= self._slow_due:
            self._slow_due = time.monotonic() + SLOW_PERIOD
            self._send_slow()
        elif self._feed.newest("odom") is not None:
            self._send_frames()

    def _set_time(self) -> None:
        """Time is that of the newest stamp; where there is none, that of the clock."""
        stamps = [0]
        for role in ("image", "scan", "points", "cones", "odom"):
            message = self._feed.newest(role)
            if message is not None:
                stamps.append(_stamp_ns(message))
        newest = max(stamps) or time.time_ns()
        if newest < self._now_ns - JUMP:
            self._server.clear_session()  # else clients keep what lies in the future
        self._now_ns = newest

    def _pass_on(self, topic: str, channel: foxglove.Channel) -> None:
        messages = self._feed.recent(topic)
        if messages and messages[-1].msgtype not in UNABRIDGED:
            messages = messages[-1:]
        for message in messages:
            if self._is_news(topic, message):
                channel.log(message.data, log_time=self._now_ns)

    def _send_slow(self) -> None:
        self._send_frames()
        self._figures.log(self._feed.figures, log_time=self._now_ns)
        newest = {name: points[-1] for name, points in self._feed.curves.items()}
        if newest:
            step = max(step for step, _ in newest.values())
            values = {name: value for name, (_, value) in newest.items()}
            self._curves.log({"step": step, **values}, log_time=self._now_ns)
        self._tell("missing", missing(self._feed, self._statuses.newest()))

    def _send_frames(self) -> None:
        if not self._frames.has_sinks():
            return
        try:
            static, odometry = (
                None if message is None else decoded(message)
                for message in (self._feed.newest("tf_static"), self._feed.newest("odom"))
            )
        except DecodeError as error:
            self._tell("frames", [f"frames cannot be shown: {error}"])
            return
        frames = frames_from_msgs(static, odometry, self._now_ns)
        self._frames.log(frames, log_time=self._now_ns)

    def _tell(self, about: str, lines: list[str]) -> None:
        """Log what has not been said about something the last time."""
        for line in lines:
            if line not in self._said.get(about, ()):
                stamp = stamp_of(self._now_ns)
                entry = Log(timestamp=stamp, level=LogLevel.Warning, message=line, name="view")
                self._log.log(entry, log_time=self._now_ns)
        self._said[about] = lines

    def _is_news(self, name: str, message: FeedMessage) -> bool:
        """Whether a message was not sent yet; it counts as sent from now on."""
        is_news = message.number > self._sent.get(name, 0)
        if is_news:
            self._sent[name] = message.number
        return is_news


def _stamp_ns(message: FeedMessage) -> int:
    try:
        return read_header(message.data).stamp_ns
    except DecodeError:
        return 0  # what is made of it says what is wrong


def _started(name: str, host: str, port: int, context: foxglove.Context) -> Any:
    try:
        return foxglove.start_server(
            name=f"ConeGrad: {name}",
            host=host,
            port=port,
            context=context,
            message_backlog_size=BACKLOG,
        )
    except RuntimeError as error:  # FoxgloveError, which is not public
        raise OSError(
            f"port {port} of {host} cannot be had for Foxglove ({error}): choose another one with "
            "--foxglove-port, 0 takes a free one"
        ) from error
