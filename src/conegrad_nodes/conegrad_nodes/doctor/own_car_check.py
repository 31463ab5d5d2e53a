"""Whether returns of the own car in the clouds of a graph are cut by the settings of its nodes."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from conegrad_core.lidar.own_car import CarOutline
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_data.bags.reader import BagReader
from conegrad_data.recording.own_car_search import find_own_car
from conegrad_data.status.part_status import Level
from conegrad_nodes.doctor.finding import Finding

AREA = "own car"
SLACK = 0.15  # [m] by which a car may be seen beyond what the settings cut: a cell and a half


def examine_own_car(
    bag: BagReader, roles: Mapping[str, str], reduction: ReductionConfig
) -> Iterator[Finding]:
    """Look for the car as if no setting gave it, and compare.

    Args:
        bag: recorded of the graph.
        roles: topic of each role.
        reduction: of the clouds, as the nodes have it.
    """
    if "points" not in roles:
        return
    searching = dataclasses.replace(
        reduction, find_car=True, car_outline="", car_ahead=0.0, car_behind=0.0, car_beside=0.0
    )
    car = find_own_car(bag, roles, searching)
    if car is None:
        text = f"the car was not at places enough to tell whether {roles['points']} shows it"
        yield Finding(AREA, Level.OK, text)
        return
    topic = f"the own car in {roles['points']}: {car}"
    given = _cut(reduction)
    if not len(car.corners):
        yield Finding(AREA, Level.OK, topic)
        return
    if given is None:
        yield Finding(AREA, Level.OK, f"{topic}; reduction.find_car cuts its returns")
        return
    beyond = [corner for corner in car.corners if not _covers(given, corner)]
    if not beyond:
        yield Finding(AREA, Level.OK, f"{topic}; the settings cut its returns")
        return
    x, y = beyond[0]
    yield Finding(
        AREA,
        Level.WARN,
        f"{topic}; the settings (reduction) leave returns of it, such as near x {x:.1f} m, "
        f"y {y:.1f} m: cones are seen on the car",
        f"set reduction.find_car: true and reduction.car_outline: '', or reduction.car_outline: "
        f"'{car.as_setting()}'",
    )


def _cut(reduction: ReductionConfig) -> CarOutline | None:
    """What the settings cut; None where the nodes find the car themselves."""
    finder = reduction.own_car()
    if finder is not None:
        return finder.outline
    if not reduction.has_car_box:
        return CarOutline(np.zeros((0, 2)))
    ahead, behind, beside = reduction.car_ahead, reduction.car_behind, reduction.car_beside
    corners = [[-behind, -beside], [ahead, -beside], [ahead, beside], [-behind, beside]]
    return CarOutline(np.array(corners))


def _covers(given: CarOutline, corner: np.ndarray) -> bool:
    """Whether what is cut reaches a corner of the car, but for the margin around it."""
    off = np.array([[dx, dy] for dx in (-SLACK, 0.0, SLACK) for dy in (-SLACK, 0.0, SLACK)])
    return bool(given.contains(corner + off).any())
