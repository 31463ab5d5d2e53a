"""Messages missing by their stamps, of sensors that lose some, and of those that only slow down."""

import random

import pytest

from conegrad_data.status.gap_watch import GapWatch
from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_data.status.part_status import Level

SECOND = 1_000_000_000


def watched(times):
    """A watch that got messages at these times [s]."""
    watch = GapWatch()
    for time in times:
        watch.note(round(time * SECOND), time)
    return watch


def kept(share, rate=30, seconds=6, jitter=0.0, seed=1):
    draw = random.Random(seed)
    times = (n / rate + draw.uniform(-jitter, jitter) / rate for n in range(rate * seconds))
    return [time for time in times if draw.random() < share]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_lost_messages_are_counted(share):
    times = kept(share)
    lost, sent = watched(times).lost(6.0)
    assert lost / sent == pytest.approx(1 - share, abs=0.1)
    assert sent > 100


@pytest.mark.parametrize("seed", range(10))
def test_an_uneven_sensor_that_loses_nothing_has_no_gaps(seed):
    assert watched(kept(1.0, jitter=0.12, seed=seed)).lost(6.0)[0] == 0


@pytest.mark.parametrize(("before", "after"), [(30, 10), (10, 30), (40, 5), (30, 15)])
def test_another_rate_is_no_loss(before, after):
    times = [n / before for n in range(3 * before)]
    times += [3 + n / after for n in range(3 * after)]
    watch = GapWatch()
    for time in times:
        watch.note(round(time * SECOND), time)
        assert watch.lost(time)[0] == 0


def test_large_messages_that_are_lost_name_the_profile():
    record = InputRecord("/image_raw", "sensor_msgs/msg/Image", 1.0, 1.0, watches_gaps=True)
    for time in kept(0.2):
        record.size = 1280 * 720 * 3
        record.note(round(time * SECOND), round(time * SECOND), time)
    finding = input_status(record, lambda: ["there"], 6.0)
    assert (finding.level, finding.cause) == (Level.WARN, "messages lost")
    assert "messages of 2.8 MB do not fit" in finding.text
    assert "config/fastdds_large_messages.xml" in finding.text
    record.size = 4000
    assert "a busy processor" in input_status(record, lambda: ["there"], 6.0).text


def test_a_loss_is_over_when_nothing_was_lost_for_a_while():
    lossy = kept(0.5, seconds=4)
    watch = watched([*lossy, *(4 + n / 30 for n in range(60))])
    assert watch.lost(4.5)[0] > 0
    assert watch.lost(6.0)[0] == 0
