"""Bodywork of random cars as a LiDAR on them sees it, and where such a LiDAR sits."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_core.vehicle import Mounting
from conegrad_simulation.lidar.clouds.beam_grid import SensorMotion, tilt_matrix
from conegrad_simulation.lidar.clouds.cloud_caster import CarBody
from conegrad_simulation.lidar.clouds.solids import SolidRows, Solids

PLACES = ("nose", "front_hoop", "roll_hoop", "wing", "mast")
PLACE_ODDS = (0.35, 0.12, 0.35, 0.05, 0.13)
MAX_PITCH = 0.17  # [rad], beyond it the ground search of the reduction refuses the cloud


class OwnCar(NamedTuple):
    """A car that carries a LiDAR.

    Attributes:
        solids: its bodywork in ``base_link``.
        mounting: of the LiDAR.
        footprint: lowest and highest x, and half of the width of the ground that it covers [m].
    """

    solids: Solids
    mounting: Mounting
    footprint: tuple[float, float, float]


class _Body(NamedTuple):
    """Lengths of a car [m]."""

    wheelbase: float
    track: float
    radius: float  # of the wheels
    tip: float  # x of the nose
    nose_height: float
    hoop: float  # x of the main roll hoop
    hoop_height: float


def random_own_car(
    rng: np.random.Generator, mounting: Mounting | None = None, *, steering: float = 0.0
) -> OwnCar:
    """A random Formula Student car; 6 % of the draws are a bare LiDAR on a tripod or a cart.

    Args:
        rng: source of every draw.
        mounting: of the LiDAR; drawn where None.
        steering: angle of the front wheels, positive to the left [rad].
    """
    body = _random_body(rng)
    place = str(rng.choice(PLACES, p=PLACE_ODDS))
    drawn = _random_mounting(rng, body, place)
    mounting = drawn if mounting is None else mounting
    rows = SolidRows()
    if rng.random() < 0.94:
        _add_chassis(rows, rng, body)
        _add_wheels(rows, rng, body, steering)
        _add_wings(rows, rng, body)
        _add_hoops(rows, rng, body, mounting)
        _add_odds_and_ends(rows, rng, body)
    solids = rows.solids()
    return OwnCar(
        solids.chosen(_clear_of(solids, mounting)),
        mounting,
        (-0.9, body.tip + 0.3, 0.5 * body.track + 0.3),
    )


def car_body(car: OwnCar) -> CarBody:
    """The car as its LiDAR sees it."""
    mounting = car.mounting
    tilt = tilt_matrix(mounting.roll, mounting.pitch)
    motion = SensorMotion(mounting.x, mounting.y, mounting.yaw, mounting.z, tilt)
    return CarBody(car.solids, motion)


def _random_body(rng: np.random.Generator) -> _Body:
    wheelbase = rng.uniform(1.525, 1.75)
    return _Body(
        wheelbase=wheelbase,
        track=rng.uniform(1.05, 1.4),
        radius=rng.uniform(0.2, 0.28),
        tip=wheelbase + rng.uniform(0.4, 0.9),
        nose_height=rng.uniform(0.22, 0.45),
        hoop=rng.uniform(0.2, 0.75),
        hoop_height=rng.uniform(0.95, 1.3),
    )


def _random_mounting(rng: np.random.Generator, body: _Body, place: str) -> Mounting:
    x, z = {
        "nose": (body.tip - rng.uniform(-0.15, 0.5), body.nose_height + rng.uniform(-0.12, 0.25)),
        "front_hoop": (rng.uniform(1.0, 1.4), rng.uniform(0.65, 0.95)),
        "roll_hoop": (body.hoop + rng.uniform(-0.1, 0.15), body.hoop_height + rng.normal(0, 0.1)),
        "wing": (rng.uniform(-0.7, -0.2), rng.uniform(1.1, 1.4)),
        "mast": (rng.uniform(0.0, body.tip), rng.uniform(0.5, 2.0)),
    }[place]
    roll, pitch = rng.normal(0, 0.015, 2)
    if rng.random() < 0.3:
        pitch += rng.uniform(0, 0.15)
    return Mounting(
        x=float(x),
        y=float(rng.normal(0, 0.01)),
        z=float(max(z, 0.12)),
        roll=float(np.clip(roll, -0.05, 0.05)),
        pitch=float(np.clip(pitch, -0.05, MAX_PITCH)),
        yaw=float(rng.normal(0, 0.015)),
    )


def _add_chassis(rows: SolidRows, rng: np.random.Generator, body: _Body) -> None:
    """Nose, cockpit, side pods, driver and engine cover."""
    wide, low = rng.uniform(0.2, 0.32), rng.uniform(0.04, 0.12)
    front = rng.uniform(1.1, 1.4)  # x where the nose begins
    tip_radius = rng.uniform(0.04, 0.14)
    nose_z, root_z = 0.7 * body.nose_height, rng.uniform(0.3, 0.42)
    rows.add_tube(
        (front, 0.0, root_z), (body.tip - front, 0.0, nose_z - root_z), 0.75 * wide, tip_radius,
        reflectivity=rng.uniform(0.05, 0.8),
    )  # fmt: skip
    cockpit_top = rng.uniform(0.5, 0.65)
    middle = 0.5 * (front + body.hoop - 0.2)
    half = (0.5 * (front - body.hoop + 0.2), wide)
    rows.add_box((middle, 0.0), half, 0.0, low, cockpit_top, reflectivity=0.3)
    if rng.random() < 0.6:
        rows.add_box(
            (body.hoop + rng.uniform(0.0, 0.3), 0.0), (rng.uniform(0.2, 0.4), wide + 0.25), 0.0,
            low, rng.uniform(0.25, 0.5),
        )  # fmt: skip
    rows.add_box((0.15, 0.0), (0.4, rng.uniform(0.2, 0.4)), 0.0, low, rng.uniform(0.4, 0.75))
    if rng.random() < 0.4:  # helmet of a driver
        rows.add_tube((body.hoop + 0.25, 0.0, cockpit_top), (0.0, 0.0, 0.3), 0.2, 0.13)


def _add_wheels(rows: SolidRows, rng: np.random.Generator, body: _Body, steering: float) -> None:
    width, arm = rng.uniform(0.16, 0.22), rng.uniform(0.008, 0.02)
    for x, turn in ((0.0, 0.0), (body.wheelbase, steering)):
        for side in (-1.0, 1.0):
            y = side * 0.5 * body.track
            across = (-math.sin(turn) * width, math.cos(turn) * width, 0.0)
            start = (x - 0.5 * across[0], y - 0.5 * across[1], body.radius)
            rows.add_tube(start, across, body.radius, reflectivity=0.05)
            for level in (0.6, 1.3):
                for lead in (-0.25, 0.2):
                    inner = (x + lead, side * 0.22, level * body.radius)
                    reach = (-lead, y - inner[1] - side * 0.5 * width, 0.0)
                    rows.add_tube(inner, reach, arm, reflectivity=0.2)


def _add_wings(rows: SolidRows, rng: np.random.Generator, body: _Body) -> None:
    if rng.random() < 0.75:
        half = 0.5 * body.track + rng.uniform(-0.1, 0.1)
        x = body.tip - rng.uniform(-0.1, 0.25)
        rows.add_box((x, 0.0), (0.2, half), 0.0, 0.04, rng.uniform(0.06, 0.18), reflectivity=0.1)
        for side in (-half, half):
            rows.add_box((x, side), (0.3, 0.01), 0.0, 0.04, rng.uniform(0.2, 0.3))
    if rng.random() < 0.7:
        half, x, low = rng.uniform(0.3, 0.48), rng.uniform(-0.75, -0.3), rng.uniform(0.6, 0.85)
        high = rng.uniform(0.9, 1.2)
        for share in (0.0, 0.5, 1.0):
            z = low + share * (high - low - 0.04)
            rows.add_box((x, 0.0), (0.12, half), 0.0, z, z + 0.04, reflectivity=0.1)
        for side in (-half, half):
            rows.add_box((x, side), (0.25, 0.01), 0.0, low, high)


def _add_hoops(rows: SolidRows, rng: np.random.Generator, body: _Body, mounting: Mounting) -> None:
    """Main hoop with braces, front hoop, and the holder of the LiDAR."""
    half, pipe = rng.uniform(0.2, 0.28), rng.uniform(0.0125, 0.02)
    for side in (-1.0, 1.0):
        foot, lean = (body.hoop, side * half, 0.3), -0.4 * side * half
        rows.add_tube(foot, (0.0, lean, body.hoop_height - 0.3), pipe)
        brace = (-rng.uniform(0.3, 0.6), side * half * 0.3, 0.4 - body.hoop_height)
        rows.add_tube((body.hoop, side * half * 0.6, body.hoop_height - 0.05), brace, pipe)
        rows.add_tube((1.25, side * 0.22, 0.4), (0.0, -0.06 * side, 0.2), pipe)
    top = (body.hoop, -0.6 * half, body.hoop_height)
    rows.add_tube(top, (0.0, 1.2 * half, 0.0), pipe)
    foot_z = max(mounting.z - 0.3, 0.05)
    holder = (mounting.x, mounting.y, foot_z)
    rows.add_tube(holder, (0.0, 0.0, max(mounting.z - 0.06 - foot_z, 0.01)), 0.04)


def _add_odds_and_ends(rows: SolidRows, rng: np.random.Generator, body: _Body) -> None:
    """Camera masts, antennas, mirrors, boxes of electronics."""
    for _ in range(int(rng.poisson(1.5))):
        x, y = rng.uniform(-0.5, body.tip), rng.normal(0, 0.2)
        low = rng.uniform(0.3, 0.8)
        high = low + rng.uniform(0.05, 0.5)
        if rng.random() < 0.5:
            rows.add_tube((x, y, low), (0.0, 0.0, high - low), rng.uniform(0.005, 0.03))
        else:
            size = tuple(rng.uniform(0.02, 0.12, 2).tolist())
            rows.add_box((x, y), (size[0], size[1]), 0.0, low, high)


def _clear_of(solids: Solids, mounting: Mounting) -> np.ndarray:
    """Mask of the solids that the LiDAR does not sit in."""
    own = np.array([mounting.x, mounting.y, mounting.z])
    axis = solids.tubes[:, 3:6]
    share = ((own - solids.tubes[:, :3]) * axis).sum(1) / np.maximum((axis**2).sum(1), 1e-12)
    nearest = solids.tubes[:, :3] + np.clip(share, 0, 1)[:, None] * axis
    tubes = np.linalg.norm(nearest - own, axis=1) > solids.tubes[:, 6:8].max(axis=1) + 0.05
    outside = np.abs(own[:2] - solids.boxes[:, :2]) > solids.boxes[:, 2:4] + 0.05  # yaw is 0
    outside_z = (own[2] < solids.boxes[:, 5] - 0.05) | (own[2] > solids.boxes[:, 6] + 0.05)
    return np.concatenate([tubes, outside.any(axis=1) | outside_z])
