"""Why nothing comes out, in words, from records alone."""

import pytest

from conegrad_data.status.input_status import InputRecord, input_status
from conegrad_data.status.part_status import Level

TYPE = "sensor_msgs/msg/LaserScan"
SILENT = "nothing received on /scan: it has 1 publisher(s) that are silent"
SECOND = 10**9


def record(**fields):
    return InputRecord("/scan", TYPE, timeout=1.0, stamp_tolerance=1.0, **fields)


def not_asked():
    pytest.fail("the graph is asked for publishers although messages come in")


@pytest.mark.parametrize(
    ("fields", "publishers", "level", "text"),
    [
        ({}, [], Level.ERROR, "nothing received on /scan: it has no publisher"),
        ({"is_optional": True}, [], Level.OK, "nothing received on /scan: it has no publisher"),
        ({}, [TYPE], Level.WARN, SILENT),
        ({}, ["a/msg/B"], Level.ERROR, f"/scan is published as a/msg/B, expected {TYPE}"),
        (
            {"incompatible_policy": "durability"}, [TYPE], Level.ERROR,
            "the publisher of /scan offers another durability than this node asks for: "
            "change the QoS of one of them",
        ),
    ],
)  # fmt: skip
def test_nothing_received_has_a_cause(fields, publishers, level, text):
    finding = input_status(record(**fields), lambda: publishers, now=100.0)
    assert (finding.level, finding.text) == (level, text)


def received(stamps, clock=None, now=100.0, **fields):
    watched = record(**fields)
    for stamp in stamps:
        clock_ns = stamp if clock is None else clock
        watched.note(round(stamp * SECOND), round(clock_ns * SECOND), now)
    return watched


def test_fresh_messages_are_well():
    assert input_status(received([5.0, 5.1]), not_asked, now=100.9).level == Level.OK


def test_an_input_that_stops_is_stale_with_its_age():
    finding = input_status(received([5.0]), not_asked, now=103.5)
    assert (finding.level, finding.text) == (Level.STALE, "/scan stopped 3.5 s ago")


def test_an_input_that_is_sent_once_does_not_stop():
    assert input_status(received([5.0], is_latched=True), not_asked, now=900.0).level == Level.OK


@pytest.mark.parametrize(("clock", "side"), [(15.0, "10.0 s behind"), (2.0, "3.0 s ahead of")])
def test_stamps_off_the_clock_are_named_with_their_distance(clock, side):
    finding = input_status(received([5.0], clock), not_asked, now=100.0)
    assert finding.level == Level.WARN
    assert finding.text.startswith(f"stamps on /scan are {side} the node's clock")


def test_stamps_that_jump_back_are_reported_for_a_while():
    watched = received([5.0, 4.5])
    finding = input_status(watched, not_asked, now=100.5)
    assert (finding.level, finding.text) == (Level.WARN, "stamps on /scan went back by 0.500 s")
    watched.note(6 * SECOND, 6 * SECOND, now=106.0)
    assert input_status(watched, not_asked, now=106.0).level == Level.OK


def test_all_messages_refused_is_an_error_and_some_a_warning():
    watched = received([5.0])
    watched.refuse("ranges has 0 values", now=100.0)
    finding = input_status(watched, not_asked, now=100.1)
    assert finding.level == Level.ERROR
    assert finding.text == "skipped 1 of 1 on /scan: ranges has 0 values"
    watched.note(6 * SECOND, 6 * SECOND, now=100.2)
    assert input_status(watched, not_asked, now=100.3).level == Level.WARN
