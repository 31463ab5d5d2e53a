"""The pace of the player, on a clock that only waiting moves."""

import itertools

import pytest

from conegrad_data.bags.reader import BagReader
from conegrad_nodes.playback import player
from conegrad_nodes.playback.player import FIRST_MESSAGE_WAIT, InputTopic, PlayConfig, Player


class Clock:
    """In place of the module ``time``, and of the link that waits."""

    def __init__(self):
        self.now = 100.0
        self.published = []

    def perf_counter(self):
        return self.now

    def wait(self, is_done, timeout, check):
        self.now += timeout
        return is_done()

    def set_time(self, stamp_ns):
        pass

    def publish(self, topic, data):
        self.published.append((topic, self.now))


class Running:
    """A process that runs."""

    def check(self):
        pass


def test_in_real_time_nothing_comes_in_a_burst_after_the_first_messages(drive, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(player, "time", clock)
    inputs = {
        "/image_raw": InputTopic("image", "/image_raw", "sensor_msgs/msg/Image"),
        "/scan": InputTopic("scan", "/scan", "sensor_msgs/msg/LaserScan"),
    }
    answers = {"camera": ["/detections"], "lidar": ["/segmentation"]}
    playing = Player(clock, Running(), inputs, PlayConfig(rate=1.0), "camera", answers)
    with BagReader(drive) as bag:
        for raw in bag.raw_messages(list(inputs)):
            playing.play(raw)
    scans = [moment for topic, moment in clock.published if topic == "/scan"]
    gaps = [after - before for before, after in itertools.pairwise(scans)]
    # The first image comes between the first two scans.
    assert gaps[0] == pytest.approx(0.05 + 2 * FIRST_MESSAGE_WAIT, abs=1e-3)
    assert gaps[1:] == pytest.approx([0.05] * len(gaps[1:]), abs=1e-3)
