"""Faults of the stamps of one sensor: told within a second, the rest goes on, and it recovers."""

import itertools
import random

import pytest
from stamp_faults import END, FINISH, LATENCY, PERIODS, SECOND, START, run

from conegrad_core.sync import CAMERA, LIDAR, ODOMETRY

SENSORS = [CAMERA, LIDAR, ODOMETRY]
WITHIN = 1.0  # [s]


def stops(since, t):
    return []


def slows_down(since, t):
    return [(t, t)] if round(t * 100) % 100 < 1 else []


def doubles(since, t):
    return [(t, t), (t + 0.001, t)]


def freezes(since, t):
    return [(t, START)]


def comes_late(delay):
    return lambda since, t: [(t + delay, t)]


def is_shifted(offset):
    """Its clock is off by this [s]."""
    return lambda since, t: [(t, t + offset)]


def jumps_now_and_then(offset):
    return lambda since, t: [(t, t + (offset if round(t * 100) % 50 < 1 else 0.0))]


def drifts(rate):
    return lambda since, t: [(t, t + rate * since)]


def loops(length):
    return lambda since, t: [(t, START + since % length)]


def is_random(since, t):
    return [(t, t + random.Random(round(t * 1e4)).uniform(-100, 100))]


def has_no_stamp(base):
    return lambda since, t: [(t, -base)]


FAULTS = {
    "stops": stops,
    "slows down to 1 Hz": slows_down,
    "doubles": doubles,
    "freezes": freezes,
    "comes 0.6 s late": comes_late(0.6),
    "comes 3 s late": comes_late(3.0),
    "is 10 s behind": is_shifted(-10.0),
    "is 0.8 s behind": is_shifted(-0.8),
    "is 0.4 s ahead": is_shifted(0.4),
    "is 0.8 s ahead": is_shifted(0.8),
    "is 37 s ahead": is_shifted(37.0),
    "is three years ahead": is_shifted(1e8),
    "jumps 37 s ahead now and then": jumps_now_and_then(37.0),
    "jumps 0.4 s ahead now and then": jumps_now_and_then(0.4),
    "jumps 2 s back now and then": jumps_now_and_then(-2.0),
    "drifts ahead": drifts(0.5),
    "drifts behind": drifts(-0.5),
    "loops over 1 s": loops(1.0),
    "loops over 0.3 s": loops(0.3),
    "is random": is_random,
    "has no stamp": has_no_stamp(1e9),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("sensor", SENSORS)
def test_a_fault_of_one_sensor_stays_its_own(sensor, name):
    out = run({sensor: FAULTS[name]})
    assert_well_before(out)
    assert any(START <= now <= START + WITHIN + 0.1 for now, _ in out.told), "is not told"
    assert_goes_on(out, START, FINISH - 1)
    assert_stamps_within_limits(out)
    assert_recovered(out, END + WITHIN)


def assert_well_before(out):
    before = [pair for now, pair in out.pairs if 1 < now < START]
    assert len(before) >= 28
    assert all(p.detections and p.segmentation and p.motion is not None for p in before)
    assert not [text for now, text in out.told if 1.5 < now < START]


def assert_goes_on(out, start, end):
    """Something is put out all the time: of both, or of the sensor that is well."""
    times = [start, *(now for now, _ in out.pairs if start <= now <= end), end]
    longest = max(b - a for a, b in itertools.pairwise(times))
    assert longest <= 0.9, f"nothing for {longest:.2f} s"


def assert_stamps_within_limits(out, base=1e9):
    ages = [base + now - pair.stamp_ns / SECOND for now, pair in out.pairs]
    assert min(ages) >= -0.5
    assert max(ages) <= 5.0
    stamps = [pair.stamp_ns for _, pair in out.pairs]
    assert stamps == sorted(stamps)


def assert_recovered(out, time):
    after = [pair for now, pair in out.pairs if now > time + LATENCY[CAMERA] + PERIODS[CAMERA]]
    assert len(after) >= 20
    assert all(p.detections and p.segmentation and p.motion is not None for p in after)


@pytest.mark.parametrize("length", [3.0, 1.5])
def test_a_bag_that_loops_gives_cones_again_within_a_second(length):
    """All stamps jump back together, on a clock that goes on."""
    jump = {sensor: lambda since, t: [(t, t - length)] for sensor in SENSORS}
    out = run(jump)
    after = [pair for now, pair in out.pairs if START + WITHIN < now < END]
    assert len(after) >= 15
    assert all(p.detections and p.segmentation and p.motion is not None for p in after)


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_bag_that_is_played_without_a_clock_gives_cones_and_that_is_told(sensor):
    out = run({sensor: stops}, clock=lambda now: 2e9 + now)
    both = [p for now, p in out.pairs if 1 < now < START and p.detections and p.segmentation]
    assert len(both) >= 28
    assert any(text == "clock" for now, text in out.told if now < WITHIN)
    assert_goes_on(out, START, FINISH - 1)
