"""What a feed keeps, and that it stays small."""

import numpy as np
from view_messages import IMAGE, SCAN

from conegrad_nodes.view_server.feed import KEPT_BYTES, KEPT_MESSAGES, ViewFeed


def test_the_newest_message_of_a_role_is_found_by_its_type():
    feed = ViewFeed("run")
    assert feed.newest("image") is None
    feed.note("/front/picture", IMAGE, b"one")
    feed.note("/front/picture", IMAGE, b"two")
    feed.note("/scan", SCAN, b"three")
    newest = feed.newest("image")
    assert (newest.topic, newest.data, newest.number) == ("/front/picture", b"two", 2)
    assert feed.newest("/scan").data == b"three"
    assert feed.number == 3


def test_a_topic_keeps_neither_too_many_messages_nor_too_many_bytes():
    feed = ViewFeed("run")
    for _ in range(KEPT_MESSAGES + 20):
        feed.note("/small", SCAN, b"x")
    assert len(feed.recent("/small")) == KEPT_MESSAGES
    quarter = bytes(KEPT_BYTES // 4)
    for _ in range(9):
        feed.note("/large", IMAGE, quarter)
    assert len(feed.recent("/large")) == 4
    feed.note("/large", IMAGE, bytes(2 * KEPT_BYTES))  # alone it is kept, however large it is
    assert len(feed.recent("/large")) == 1


def test_rates_count_the_last_seconds(monkeypatch):
    clock = iter(np.arange(0.0, 4.0, 0.1))
    monkeypatch.setattr("conegrad_nodes.view_server.feed.time.monotonic", lambda: now[0])
    now = [0.0]
    feed = ViewFeed("run")
    for now[0] in clock:  # 40 messages at 10 Hz, the last one at 3.9 s
        feed.note("/scan", SCAN, b"x")
    now[0] = 3.95
    (traffic,) = feed.traffic()
    assert traffic.rate == 10.0
    assert round(traffic.age, 2) == 0.05
    now[0] = 10.0
    assert feed.traffic()[0].rate == 0.0


def test_a_look_counts_for_some_seconds(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("conegrad_nodes.view_server.feed.time.monotonic", lambda: now[0])
    feed = ViewFeed("run")
    assert not feed.is_watched
    feed.look()
    now[0] = 102.0
    feed.look()
    assert feed.is_watched
    assert feed.watched_since == 100.0
    now[0] = 106.0
    assert not feed.is_watched
    feed.look()
    assert feed.watched_since == 106.0


def test_long_curves_are_thinned_and_keep_their_ends():
    feed = ViewFeed("run")
    for step in range(5000):
        feed.plot(step, {"position": float(step)})
    points = feed.curves["position"]
    assert 200 <= len(points) <= 401
    assert points[0] == (0, 0.0)
    assert points[-1] == (4999, 4999.0)
    assert all(step == value for step, value in points)
