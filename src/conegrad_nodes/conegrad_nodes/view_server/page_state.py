"""Everything on the page but the camera picture, as JSON."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from conegrad_data.decode import DecodeError, pose_from_msg, read_header, speed_from_msg
from conegrad_nodes.view_server.cone_rows import cone_rows, return_rows, truth_rows
from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import FeedMessage, ViewFeed
from conegrad_nodes.view_server.statuses import Statuses, missing

# Segmentations hold the returns of a scan and which of them look like cones.
RETURNS = ("segmentation", "scan", "points")  # roles, the first one that comes is shown
OUTDATED = 2.0  # [s] after which cones and returns say nothing about now
LATENCY_TYPE, LATENCY_END = "std_msgs/msg/Float64", "latency"
MILLISECONDS = 1e3


class PageState:
    """Makes the newest state."""

    def __init__(self, feed: ViewFeed) -> None:
        self._feed = feed
        self._statuses = Statuses(feed)
        self._lock = threading.Lock()

    def newest(self) -> tuple[int, bytes]:
        """Number of the newest change that is in it, and the JSON."""
        with self._lock:
            number = self._feed.number
            return number, json.dumps(self._as_dict(number)).encode()

    def _as_dict(self, number: int) -> dict[str, Any]:
        feed = self._feed
        statuses = self._statuses.newest()
        faults: list[str] = []
        cones = self._fresh("cones")
        layers = {
            "cones": _layer(cones, cone_rows, faults),
            "truth": _layer(self._beside(cones, "truth"), truth_rows, faults),
            "returns": _layer(self._beside(cones, *RETURNS), return_rows, faults),
        }
        return {
            "number": number,
            "title": feed.title,
            "activity": feed.activity,
            "expected": feed.expected,
            "figures": feed.figures,
            "curves": feed.curves,
            "motion": self._motion(faults),
            **layers,
            "topics": [entry._asdict() for entry in feed.traffic()],
            "latencies": self._latencies(),
            "statuses": [
                {"level": status.level.name, "name": status.name, "message": status.message}
                for status in statuses
            ],
            "missing": [*missing(feed, statuses), *_doubts(layers["cones"]), *faults],
        }

    def _fresh(self, *roles: str) -> FeedMessage | None:
        """The newest message of the first role that comes; None where none does."""
        now = time.monotonic()
        newest = (self._feed.newest(role) for role in roles)
        found = (message for message in newest if message is not None)
        return next((message for message in found if now - message.arrival <= OUTDATED), None)

    def _beside(self, cones: FeedMessage | None, *roles: str) -> FeedMessage | None:
        """The message of the first role that comes, as it was when the cones were seen."""
        fresh = self._fresh(*roles)
        if cones is None or fresh is None:
            return fresh
        try:
            stamp_ns = read_header(cones.data).stamp_ns
            return min(
                self._feed.recent(fresh.topic),
                key=lambda message: abs(read_header(message.data).stamp_ns - stamp_ns),
            )
        except DecodeError:
            return fresh  # its layer says what is wrong with it

    def _motion(self, faults: list[str]) -> dict[str, float] | None:
        message = self._feed.newest("odom")
        if message is None:
            return None
        try:
            msg = decoded(message)
            x, y, yaw = pose_from_msg(msg)
            return {"speed": speed_from_msg(msg), "x": x, "y": y, "yaw": yaw}
        except DecodeError as error:
            faults.append(f"{message.topic} cannot be shown: {error}")
            return None

    def _latencies(self) -> list[dict[str, Any]]:
        """Median and 95th percentile of the latest values of each latency topic [ms]."""
        found = []
        for entry in self._feed.traffic():
            if entry.msgtype == LATENCY_TYPE and entry.topic.endswith(LATENCY_END):
                messages = self._feed.recent(entry.topic)
                values = sorted(float(decoded(message).data) for message in messages)
                p50, p95 = values[len(values) // 2], values[len(values) * 95 // 100]
                times = {"p50": p50 * MILLISECONDS, "p95": p95 * MILLISECONDS}
                found.append({"topic": entry.topic, **times})
        return found


def _layer(
    message: FeedMessage | None,
    rows_of: Callable[[FeedMessage], dict[str, Any]],
    faults: list[str],
) -> dict[str, Any] | None:
    """Rows of a message, or None and a fault."""
    if message is None:
        return None
    try:
        return {**rows_of(message), "topic": message.topic}
    except DecodeError as error:
        faults.append(f"{message.topic} cannot be shown: {error}")
        return None


def _doubts(cones: dict[str, Any] | None) -> list[str]:
    return [f"cones are degraded: {reason}" for reason in (cones or {}).get("reasons", ())]
