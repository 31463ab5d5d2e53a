"""Faults with their times, as words of a command line."""

import math

import pytest

from conegrad_simulation.sensor_faults.timed_fault import read_timed_fault


@pytest.mark.parametrize(
    ("words", "name", "severity", "start", "end"),
    [
        ("image_mud", "image_mud", 0, 0.0, math.inf),
        ("image_hue:3@5-", "image_hue", 3, 5.0, math.inf),
        ("no_scan@10-13.5", "no_scan", 0, 10.0, 13.5),
    ],
)
def test_reads_what_and_when(words, name, severity, start, end):
    found = read_timed_fault(words, seed=7)
    assert (found.fault.name, found.fault.severity, found.fault.seed) == (name, severity, 7)
    assert (found.start, found.end) == (start, end)
    again = read_timed_fault(str(found), seed=7)
    assert again[1:] == found[1:]
    assert again.fault.parameters == found.fault.parameters


@pytest.mark.parametrize("words", ["no_scan@", "no_scan@3", "no_scan@5-4", "no_scan@a-b"])
def test_refuses_times_that_are_none(words):
    with pytest.raises(ValueError, match=r"expected NAME\[:SEVERITY\]\[@START-END\]"):
        read_timed_fault(words)


def test_acts_from_its_start_until_before_its_end():
    fault = read_timed_fault("no_scan@1-2")
    assert [fault.is_on(time) for time in (0.9, 1.0, 1.9, 2.0)] == [False, True, True, False]
