"""Disturbances of the stream of messages of a sensor: slow, doubled, late, out of order, stuck.

They change when messages arrive, and with which stamps; only a running graph sees that
(`conegrad robustness --live`), one sample has no stream. Each gives for a
message what is sent in its place.
"""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from conegrad_evaluation.disturbances.disturbance import (
    CAMERA_STREAM,
    LIDAR_STREAM,
    ODOMETRY_STREAM,
    Disturbance,
    Parameters,
)


class Arrival(NamedTuple):
    """A message on its way.

    Attributes:
        number: of messages of the sensor since the fault began.
        since: time since then [s].
    """

    number: int
    since: float


class Sent(NamedTuple):
    """What is sent in place of a message.

    Attributes:
        delay: later than the message [s].
        shift: added to its stamp [s].
        held: it has the content of the first message of the fault with the same number here; None:
            its own.
    """

    delay: float = 0.0
    shift: float = 0.0
    held: int | None = None


Stream = Callable[[Arrival, Parameters, np.random.Generator], list[Sent]]
_INTACT = Sent()


def _slow(message: Arrival, parameters: Parameters, _: np.random.Generator) -> list[Sent]:
    """Every n-th message alone."""
    return [] if message.number % round(parameters["every"]) else [_INTACT]


def _doubled(message: Arrival, parameters: Parameters, draws: np.random.Generator) -> list[Sent]:
    """Some messages twice, with the same stamp."""
    again = draws.random() < parameters["share"]
    return [_INTACT, Sent(delay=0.001)] if again else [_INTACT]


def _delayed(message: Arrival, parameters: Parameters, _: np.random.Generator) -> list[Sent]:
    """All messages later, with their stamps."""
    return [Sent(delay=parameters["milliseconds"] / 1000.0)]


def _disordered(message: Arrival, parameters: Parameters, draws: np.random.Generator) -> list[Sent]:
    """Some messages late, behind those that follow them."""
    is_late = draws.random() < parameters["share"]
    return [Sent(delay=parameters["milliseconds"] / 1000.0)] if is_late else [_INTACT]


def _time_jump(message: Arrival, parameters: Parameters, _: np.random.Generator) -> list[Sent]:
    """Stamps of a clock that was set."""
    return [Sent(shift=parameters["seconds"])]


def _frozen(message: Arrival, parameters: Parameters, _: np.random.Generator) -> list[Sent]:
    """One content again and again under new stamps, a new one after a while."""
    return [Sent(held=int(message.since / parameters["seconds"] + 1e-6))]


class _Kind(NamedTuple):
    description: str
    severities: list[Mapping[str, float]]
    stream: Stream


_KINDS = {
    "slow": _Kind(
        "one of so many messages is sent", [{"every": n} for n in (2.0, 4.0, 20.0)], _slow
    ),
    "doubled": _Kind(
        "share of messages that come twice", [{"share": s} for s in (0.4, 0.7, 1.0)], _doubled
    ),
    "delayed": _Kind(
        "messages arrive later than usual [ms]",
        [{"milliseconds": ms} for ms in (300.0, 600.0, 1500.0)],
        _delayed,
    ),
    "out_of_order": _Kind(
        "share of messages that are overtaken by later ones, delayed by so much [ms]",
        [{"share": share, "milliseconds": 250.0} for share in (0.2, 0.35, 0.5)],
        _disordered,
    ),
    "time_jump": _Kind(
        "clock of the sensor is set by so much [s]",
        [{"seconds": seconds} for seconds in (-0.8, 2.0, 37.0)],
        _time_jump,
    ),
    "frozen": _Kind(
        "one content again and again under new stamps, for so long [s]",
        [{"seconds": seconds} for seconds in (0.8, 2.0, 60.0)],
        _frozen,
    ),
}
_NOUNS = {CAMERA_STREAM: "camera", LIDAR_STREAM: "LiDAR", ODOMETRY_STREAM: "odometry"}


def _disturbance(name: str, acts_on: str, kind: str) -> Disturbance:
    found = _KINDS[kind]
    description = f"{_NOUNS[acts_on]}: {found.description}"
    return Disturbance(name, acts_on, description, found.severities, found.stream)


_camera = functools.partial(_disturbance, acts_on=CAMERA_STREAM)
_lidar = functools.partial(_disturbance, acts_on=LIDAR_STREAM)
_odometry = functools.partial(_disturbance, acts_on=ODOMETRY_STREAM)
CAMERA_SLOW = _camera("camera_slow", kind="slow")
CAMERA_DOUBLED = _camera("camera_doubled", kind="doubled")
CAMERA_DELAYED = _camera("camera_delayed", kind="delayed")
CAMERA_OUT_OF_ORDER = _camera("camera_out_of_order", kind="out_of_order")
CAMERA_TIME_JUMP = _camera("camera_time_jump", kind="time_jump")
LIDAR_SLOW = _lidar("lidar_slow", kind="slow")
LIDAR_DOUBLED = _lidar("lidar_doubled", kind="doubled")
LIDAR_DELAYED = _lidar("lidar_delayed", kind="delayed")
LIDAR_OUT_OF_ORDER = _lidar("lidar_out_of_order", kind="out_of_order")
LIDAR_TIME_JUMP = _lidar("lidar_time_jump", kind="time_jump")
LIDAR_FROZEN = _lidar("lidar_frozen", kind="frozen")
ODOMETRY_DELAYED = _odometry("odometry_delayed", kind="delayed")
ODOMETRY_OUT_OF_ORDER = _odometry("odometry_out_of_order", kind="out_of_order")
ODOMETRY_TIME_JUMP = _odometry("odometry_time_jump", kind="time_jump")
ODOMETRY_FROZEN = _odometry("odometry_frozen", kind="frozen")
