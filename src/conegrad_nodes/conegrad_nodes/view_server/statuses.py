"""The newest diagnostics by name, and what is missing in a graph."""

import time
from typing import NamedTuple

from conegrad_data.decode import DecodeError
from conegrad_data.status.part_status import Level
from conegrad_nodes.view_server.decoding import decoded
from conegrad_nodes.view_server.feed import DIAGNOSTICS, ViewFeed

SILENT = 2.0  # [s] after which a topic counts as missing
OUTDATED = 5.0  # [s] after which a status says nothing about now: nodes report once per second
TOPICS = {  # of each role, as the graph calls it
    "image": "the camera (image_raw or image_raw/compressed)",
    "scan": "the LiDAR (scan or points)",
    "cones": "the fusion (cones)",
}
STANDS_FOR = {"scan": ("scan", "points", "segmentation")}  # roles of which one is enough


class Status(NamedTuple):
    """A status of a node: its level, whose it is, and what it says."""

    level: Level
    name: str
    message: str


class Statuses:
    """Collects the statuses of the messages on ``/diagnostics``."""

    def __init__(self, feed: ViewFeed) -> None:
        self._feed = feed
        self._found: dict[str, tuple[Status, float]] = {}
        self._seen = 0

    def newest(self) -> list[Status]:
        """The newest status of each name, the worst ones first; outdated ones are stale."""
        for message in self._feed.recent(DIAGNOSTICS):
            if message.number <= self._seen:
                continue
            self._seen = message.number
            try:
                statuses = decoded(message).status
            except DecodeError as error:
                statuses = []
                broken = Status(Level.ERROR, message.topic, str(error))
                self._found[message.topic] = (broken, message.arrival)
            for status in statuses:
                level = Level(min(int(status.level), Level.STALE))
                found = Status(level, status.name, status.message)
                self._found[status.name] = (found, message.arrival)
        now = time.monotonic()
        current = [_aged(status, now - arrival) for status, arrival in self._found.values()]
        return sorted(current, key=lambda status: (-status.level, status.name))


def missing(feed: ViewFeed, statuses: list[Status]) -> list[str]:
    """What should come and does not, in words, and why as far as the nodes say."""
    now = time.monotonic()
    lines = []
    for role in feed.expected:
        found = [feed.newest(each) for each in STANDS_FOR.get(role, (role,))]
        arrivals = [message.arrival for message in found if message is not None]
        silence = now - max([*arrivals, feed.watched_since])
        if silence > SILENT:
            since = f"for {now - max(arrivals):.0f} s" if arrivals else "yet"
            lines.append(f"nothing from {TOPICS[role]} {since}")
    if lines and not statuses:
        lines.append("nothing on /diagnostics: no node of ConeGrad is on this graph, or it starts")
    return lines


def _aged(status: Status, age: float) -> Status:
    if age <= OUTDATED:
        return status
    return status._replace(level=Level.STALE, message=f"{age:.0f} s ago: {status.message}")
