"""Faults of the stamps of a sensor.

A fault takes the time since it began and the time of capture [s], and gives (time of arrival,
stamp) of the messages that come of it, latency left out [s].
"""

import random
from collections.abc import Callable

Fault = Callable[[float, float], list[tuple[float, float]]]


def stops(since, t):
    return []


def slows_down(since, t):
    return [(t, t)] if round(t * 100) % 100 < 1 else []


def doubles(since, t):
    return [(t, t), (t + 0.001, t)]


def freezes(since, t):
    return [(t, t - since)]


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
    return lambda since, t: [(t, t - since + since % length)]


def is_random(since, t):
    return [(t, t + random.Random(round(t * 1e4)).uniform(-100, 100))]


def has_no_stamp(base):
    """Its stamps are 0, on a clock that shows this at time 0 [s]."""
    return lambda since, t: [(t, -base)]


FAULTS: dict[str, Fault] = {
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
}
