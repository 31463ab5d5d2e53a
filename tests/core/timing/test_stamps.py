"""Which stamps are used: by the clock, or by agreement where all sensors are on another one."""

import pytest

from conegrad_core.timing.stamps import SECOND, StampGate

YEAR = 3e7  # [s]


def gate():
    return StampGate(max_age=5.0, max_ahead=0.5)


def refused(the_gate, ages, start=0.0, seconds=2.0, rate=20):
    """Share refused of each sensor whose stamps have these ages [s], in its last second."""
    count = dict.fromkeys(ages, 0)
    steps = round(seconds * rate)
    for step in range(steps):
        clock = 1e9 + start + step / rate
        for sensor, age in ages.items():
            reason = the_gate.refusal(sensor, round((clock - age) * SECOND), round(clock * SECOND))
            count[sensor] += bool(reason) and step >= steps - rate
    return {sensor: number / rate for sensor, number in count.items()}


@pytest.mark.parametrize("age", [-37.0, -0.6, 5.5, 10.0, YEAR, -3 * YEAR])
def test_one_sensor_off_the_clock_is_refused_and_the_others_are_not(age):
    found = refused(gate(), {"camera": 0.1, "lidar": age, "odometry": 0.0}, seconds=6)
    assert found == {"camera": 0, "lidar": 1, "odometry": 0}


def test_two_sensors_that_agree_against_the_clock_and_a_third_are_refused():
    found = refused(gate(), {"camera": 0.1, "lidar": -37.0, "odometry": -37.0}, seconds=6)
    assert found == {"camera": 0, "lidar": 1, "odometry": 1}


def test_the_sensor_against_the_clock_stays_refused_when_the_other_stops():
    one = gate()
    refused(one, {"camera": 0.1, "lidar": -37.0})
    assert refused(one, {"lidar": -37.0}, start=2.0, seconds=8) == {"lidar": 1}


@pytest.mark.parametrize("sensors", [("lidar",), ("camera", "lidar"), ("camera", "lidar", "odom")])
def test_a_bag_without_a_clock_is_used(sensors):
    one = gate()
    ages = {name: YEAR + 0.02 * place for place, name in enumerate(sensors)}
    assert set(refused(one, ages).values()) == {0}
    assert one.offset == pytest.approx(YEAR, abs=0.1)
    assert one.now_ns(5) is None


def test_a_bag_that_loops_without_a_clock_is_used_again_within_a_second():
    one = gate()
    refused(one, {"camera": YEAR, "lidar": YEAR})
    again = {"camera": YEAR + 60, "lidar": YEAR + 60}
    assert refused(one, again, start=2.0, seconds=1.6, rate=20)["camera"] == 0


def test_real_sensors_after_such_a_bag_are_used():
    one = gate()
    refused(one, {"camera": YEAR, "lidar": YEAR})
    found = refused(one, {"camera": 0.1, "lidar": 0.0}, start=2.0)
    assert found == {"camera": 0, "lidar": 0}
    assert one.offset is None


def test_without_any_clock_every_stamp_is_used():
    assert gate().refusal("camera", 10**18, None) == ""


def test_the_reason_names_the_numbers_and_international_atomic_time():
    one = gate()
    reason = one.refusal("lidar", round((1e9 + 37) * SECOND), round(1e9 * SECOND))
    assert reason.startswith("its stamp is 37.0 s ahead of the node's clock: TAI for UTC?")
    assert "at most 0.5 s is used" in reason
