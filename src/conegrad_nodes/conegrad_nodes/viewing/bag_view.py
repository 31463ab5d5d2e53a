"""A bag through the live graph into a feed, for people to look at."""

import contextlib
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from conegrad_data.bags.reader import RawMessage
from conegrad_data.bags.types import BagError
from conegrad_data.topics.topics import find_topics
from conegrad_nodes.playback.perceive import PerceiveOptions, PreparedRun, graph_inputs
from conegrad_nodes.playback.this_machine import check_environment
from conegrad_nodes.view_server.feed import ViewFeed

SHORTEST_LOOP = 2.0  # [s], twice the jump that a new run is recognised by
SAY_PERIOD = 0.5  # [s] between two changes of what is said
FURTHER = ("truth", "tf_static")  # roles that are shown and not perceived
OF_SENSORS = {"image": "image", "scan": "scan", "points": "scan"}  # expected roles, by played ones


def view_bag(
    bag_path: str | Path,
    options: PerceiveOptions,
    feed: ViewFeed,
    server: AbstractContextManager[object],
    *,
    loop: bool = False,
) -> None:
    """Play a bag through the nodes of a pipeline; inputs and results go to a feed.

    Args:
        bag_path: the recorded drive.
        options: how to play.
        feed: gets every message that can be shown, and what is going on.
        server: of the feed; entered once the bag has passed its checks.
        loop: begin anew at the end, until a KeyboardInterrupt.

    Raises:
        BagError: if the bag cannot be read, or lacks a part of the calibration.
        GraphError: if the nodes cannot start or end; says why.
    """
    check_environment()
    with contextlib.ExitStack() as stack:
        prepared = PreparedRun(bag_path, options, stack)
        bag = prepared.bag
        expected = [OF_SENSORS[role] for role in prepared.roles if role in OF_SENSORS]
        feed.expect([*dict.fromkeys(expected), "cones"])
        graph_topics = {
            name: entry.topic for name, entry in graph_inputs(bag, prepared.roles).items()
        }
        further = find_topics(bag, options.topics, FURTHER).values()

        seconds = (bag.end_ns - bag.start_ns) / 1e9
        if loop and seconds < SHORTEST_LOOP:
            raise BagError(
                f"{bag.path} has {seconds:.1f} s, expected {SHORTEST_LOOP:g} s or more to loop: by "
                "a shorter jump of the stamps the nodes do not recognise a new run"
            )
        stack.enter_context(server)

        def sink(topic: str, msgtype: str, stamp_ns: int, msg: Any) -> None:
            if isinstance(msg, (bytes, memoryview)):  # an object is a latency of the player
                feed.note(graph_topics.get(topic, topic), msgtype, bytes(msg))

        feed.say("starting the nodes")
        run = prepared.started(sink, stack)
        run.start()
        topics = [*graph_topics, *further]
        played = _Announced(feed, bag.start_ns, seconds)
        run.play(played, topics)
        while loop:
            run.play_again(played, topics)
        feed.say(f"played {seconds:.1f} s")


class _Announced:
    """Messages of a bag; a feed is told now and then how far they are."""

    def __init__(self, feed: ViewFeed, start_ns: int, seconds: float) -> None:
        self._feed, self._start_ns, self._seconds = feed, start_ns, seconds

    def __call__(self, messages: Iterable[RawMessage], count: int) -> Iterator[RawMessage]:
        said = float("-inf")
        for raw in messages:
            if time.monotonic() - said >= SAY_PERIOD:
                said = time.monotonic()
                at = (raw.receive_ns - self._start_ns) / 1e9
                self._feed.say(f"playing: {at:.1f} of {self._seconds:.1f} s")
            yield raw
