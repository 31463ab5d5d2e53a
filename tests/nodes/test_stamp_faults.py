"""Faults of the stamps of one sensor: told within a second, the rest goes on, and it recovers."""

import itertools

import pytest
from stamp_fault_kinds import FAULTS as KINDS
from stamp_fault_kinds import has_no_stamp, is_shifted, stops
from stamp_faults import BASE, END, FINISH, LATENCY, PERIODS, SECOND, START, run

from conegrad_core.timing.pairing import CAMERA, LIDAR, ODOMETRY

SENSORS = [CAMERA, LIDAR, ODOMETRY]
WITHIN = 1.0  # [s]


FAULTS = {**KINDS, "has no stamp": has_no_stamp(BASE)}


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


def assert_stamps_within_limits(out, base=BASE):
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
    jump = dict.fromkeys(SENSORS, is_shifted(-length))
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
