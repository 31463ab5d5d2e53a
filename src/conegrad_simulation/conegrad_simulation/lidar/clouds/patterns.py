"""Patterns of 3-D LiDARs: where their lasers point, how often they turn, how far they measure."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.planar import Floats

DEG = math.pi / 180


class LidarPattern(NamedTuple):
    """A spinning or sweeping 3-D LiDAR.

    Attributes:
        name: of the product, as ``conegrad simulate --lidar`` takes it.
        elevations: of the lasers [rad], rising.
        columns: directions of each laser per turn.
        duration: of one frame [s].
        range_min: nearer returns are lost [m].
        range_max: farther returns are lost [m].
        range_std: scatter of the range [m].
        view: horizontal field of view [rad]; a full turn where it is 2 pi.
        sweeps: times that the view is covered per frame, each time with other elevations: 1 for a
            spinning LiDAR, more for one whose pattern does not repeat.
        band: of the elevations that the sweeps share out [rad]; only with more than one sweep.
    """

    name: str
    elevations: tuple[float, ...]
    columns: int
    duration: float = 0.1
    range_min: float = 0.5
    range_max: float = 100.0
    range_std: float = 0.015
    view: float = 2 * math.pi
    sweeps: int = 1
    band: tuple[float, float] = (0.0, 0.0)

    @property
    def step(self) -> float:
        """Angle between two columns [rad]."""
        is_turn = self.view > 2 * math.pi - 1e-6
        return self.view / (self.columns if is_turn else self.columns - 1)

    @property
    def points(self) -> int:
        """Directions per frame."""
        return len(self.elevations) * self.columns * self.sweeps

    def sweep_elevations(self, rng: np.random.Generator) -> list[Floats]:
        """``(rings,)`` elevations of each sweep of a frame [rad], rising."""
        fixed = np.array(self.elevations)
        if self.sweeps == 1:
            return [fixed]
        low, high = self.band
        return [np.sort(rng.uniform(low, high, len(fixed))) for _ in range(self.sweeps)]


def _even(rings: int, low: float, high: float) -> tuple[float, ...]:
    return tuple((np.linspace(low, high, rings) * DEG).tolist())


def _degrees(*values: float) -> tuple[float, ...]:
    return tuple(sorted(value * DEG for value in values))


_PANDAR40P = _degrees(
    15, 11, 8, 5, 3, 2, *np.linspace(1.67, -6, 24), -7, -8, -9, -10, -11, -12, -13, -14, -19, -25
)
_VLP32C = _degrees(
    -25, -15.639, -11.31, -8.843, -7.254, -6.148, -5.333, -4.667, -4, -3.667, -3.333, -3, -2.667,
    -2.333, -2, -1.667, -1.333, -1, -0.667, -0.333, 0, 0.333, 0.667, 1, 1.333, 1.667, 2.333, 3.333,
    4.667, 7, 10.333, 15,
)  # fmt: skip
_RS32 = _degrees(
    -25, -14.638, -10.281, -8.0, -6.6, -5.6, -4.7, -4, -3.667, -3.333, -3, -2.667, -2.333, -2,
    -1.667, -1.333, -1, -0.667, -0.333, 0, 0.333, 0.667, 1, 1.333, 1.667, 2.333, 3.333, 4.667, 7,
    9, 11.5, 15,
)  # fmt: skip


def _ouster() -> list[LidarPattern]:
    half_views = {"os0": 45.0, "os1": 22.5, "os2": 11.25}
    noise = {"os0": 0.02, "os1": 0.015, "os2": 0.02}
    return [
        LidarPattern(
            f"{name}-{rings}", _even(rings, -half, half), columns, range_std=noise[name]
        )
        for name, half in half_views.items()
        for rings, columns in ((32, 1024), (64, 1024), (128, 1024))
    ]  # fmt: skip


# From the data sheets of the makers; elevations that they give as a picture are read from it.
_ALL = (
    *_ouster(),
    LidarPattern("os1-16", _even(16, -16.6, 16.6), 1024),
    LidarPattern("os1-64-2048", _even(64, -22.5, 22.5), 2048),
    LidarPattern("vlp-16", _even(16, -15, 15), 1800, range_std=0.02, range_min=0.4),
    LidarPattern("hdl-32e", _even(32, -30.67, 10.67), 2172, range_std=0.02),
    LidarPattern("vlp-32c", _VLP32C, 1800, range_std=0.02),
    LidarPattern("pandar40p", _PANDAR40P, 1800, range_std=0.02, range_min=0.3),
    LidarPattern("xt32", _even(32, -16, 15), 2000, range_std=0.01, range_min=0.1),
    LidarPattern("xt16", _even(16, -15, 15), 2000, range_std=0.01, range_min=0.1),
    LidarPattern("rs-lidar-16", _even(16, -15, 15), 1800, range_std=0.02, range_min=0.3),
    LidarPattern("rs-lidar-32", _RS32, 1800, range_std=0.025, range_min=0.4),
    LidarPattern("rs-helios-32", _even(32, -55, 15), 1800, range_std=0.02, range_min=0.2),
    LidarPattern(
        "rs-m1", _even(126, -12.5, 12.5), 600, range_std=0.02, range_min=0.5, view=120 * DEG
    ),
    LidarPattern(
        "mid-360", _even(4, -7, 52), 500, range_std=0.02, range_min=0.1, range_max=70.0,
        sweeps=10, band=(-7 * DEG, 52 * DEG),
    ),
    LidarPattern(  # hung upside down, as points that the driver has turned back
        "mid-360-hung", _even(4, -52, 7), 500, range_std=0.02, range_min=0.1, range_max=70.0,
        sweeps=10, band=(-52 * DEG, 7 * DEG),
    ),
    LidarPattern(
        "avia", _even(6, -38, 38), 200, range_std=0.02, range_min=0.5, view=70 * DEG,
        sweeps=20, band=(-38.6 * DEG, 38.6 * DEG),
    ),
    LidarPattern(
        "hap", _even(6, -12.5, 12.5), 500, range_std=0.02, range_min=0.5, view=120 * DEG,
        sweeps=15, band=(-12.5 * DEG, 12.5 * DEG),
    ),
)  # fmt: skip
PATTERNS = {pattern.name: pattern for pattern in _ALL}


def lidar_pattern(name: str) -> LidarPattern:
    """Pattern of :data:`PATTERNS` by name.

    Raises:
        ValueError: if there is no such pattern.
    """
    if name not in PATTERNS:
        raise ValueError(f"LiDAR pattern is {name!r}, expected one of {', '.join(PATTERNS)}")
    return PATTERNS[name]


def random_pattern(rng: np.random.Generator) -> LidarPattern:
    """One of the patterns, or a spinning LiDAR that nobody sells yet."""
    if rng.random() < 0.75:
        return _ALL[rng.integers(len(_ALL))]
    rings = int(rng.choice([16, 24, 32, 40, 48, 64]))
    low, high = rng.uniform(-30, -8), rng.uniform(2, 20)
    crowd = rng.uniform(0.6, 2.0)  # lasers are closer together near the horizon
    share = np.linspace(-1, 1, rings)
    bent = np.sign(share) * np.abs(share) ** crowd
    elevations = np.where(bent < 0, -low * bent, high * bent) * DEG
    return LidarPattern(
        "random",
        tuple(np.sort(elevations).tolist()),
        int(rng.integers(700, 2049)),
        duration=float(rng.choice([0.05, 0.1])),
        range_min=float(rng.uniform(0.1, 1.0)),
        range_std=float(rng.uniform(0.005, 0.03)),
    )
