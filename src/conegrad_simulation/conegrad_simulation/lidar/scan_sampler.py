"""Domain-randomised planar scans with exact beam labels, the training data of the 1D CNN."""

import math
from typing import NamedTuple

import numpy as np

from conegrad_simulation.lidar.lidar_noise import LidarNoise, apply_noise
from conegrad_simulation.lidar.ray_casting import Fan, Targets, cast, targets_from
from conegrad_simulation.lidar.scan_surroundings import Kinds, random_surroundings
from conegrad_simulation.lidar.spin import moved_targets, random_spin
from conegrad_simulation.planar import Bools, Floats, Pose


class ScanBatch(NamedTuple):
    """Scans of one sensor.

    Attributes:
        ranges: ``(S, B)`` float32 [m], NaN without a return.
        labels: ``(S, B)`` bool, the beam hit a cone.
        step: angle between beams [rad].
        profile: ``(S, P, B)`` float32 of scans made of clouds, as
            :mod:`conegrad_core.lidar.height_profile` describes it; None of planar LiDARs.
    """

    ranges: np.ndarray
    labels: np.ndarray
    step: float
    profile: np.ndarray | None = None


# Beams and field of view [rad] of common planar LiDARs and of rings of spinning ones.
SENSORS = (
    (1081, math.radians(270)),
    (541, math.radians(270)),
    (811, math.radians(270)),
    (1024, 2 * math.pi),
    (2048, 2 * math.pi),
    (1800, 2 * math.pi),
    (720, 2 * math.pi),
    (360, 2 * math.pi),
    (1141, math.radians(190)),
    (683, math.radians(240)),
    (1440, 2 * math.pi),
    (1600, 2 * math.pi),
    (450, 2 * math.pi),
    (500, 2 * math.pi),
)


SCANS_PER_PLACE = 4  # poses per surroundings, whose sampling takes longer than a scan


def random_fan(rng: np.random.Generator) -> Fan:
    """Beams of a common sensor in half of the draws, else of a random count and field of view."""
    if rng.random() < 0.5:
        count, view = SENSORS[rng.integers(len(SENSORS))]
    else:
        count, view = int(rng.integers(360, 2049)), rng.uniform(math.pi, 2 * math.pi)
    step = view / count if view >= 2 * math.pi else view / (count - 1)
    return Fan(-0.5 * view, step, count)


def sample_batch(
    seed: int, size: int, fan: Fan | None = None, kinds: Kinds | None = None
) -> ScanBatch:
    """Random scans of one random sensor; a pure function of its arguments.

    Args:
        seed: of every draw.
        size: number of scans S.
        fan: the sensor's beams; drawn where None.
        kinds: of surroundings; a course or a garage where None.
    """
    rng = np.random.default_rng(seed)
    fan = random_fan(rng) if fan is None else fan
    scans = []
    for index in range(size):
        if index % SCANS_PER_PLACE == 0:
            surroundings = random_surroundings(rng, kinds)
        pose = Pose(*rng.normal(0, (2.0, 1.0, 0.15)) * (index % SCANS_PER_PLACE > 0))
        scans.append(sample_scan(rng, fan, targets_from(pose, surroundings)))
    ranges = np.stack([ranges for ranges, _ in scans]).astype(np.float32)
    return ScanBatch(ranges, np.stack([labels for _, labels in scans]), fan.step)


def sample_scan(rng: np.random.Generator, fan: Fan, targets: Targets) -> tuple[Floats, Bools]:
    """One scan by a random sensor: ``(B,)`` ranges [m] and ``(B,)`` mask of beams on a cone."""
    spin = random_spin(rng)
    targets = targets if spin is None else moved_targets(targets, spin)
    height = rng.uniform(0.06, 0.25)
    slopes = random_slopes(rng, fan)
    noise = random_noise(rng)
    width = rng.choice([0.0, 1.0]) * rng.uniform(0.0, 0.008)
    hits = cast(targets, fan, height, slopes, rng, beam_width=width)
    ranges, labels = apply_noise(hits, targets, height, noise, rng)
    hidden = random_blocking(rng, fan)
    return np.where(hidden, np.nan, ranges), labels & ~hidden


def random_noise(rng: np.random.Generator) -> LidarNoise:
    """Noise of a random sensor in random weather."""

    def log_uniform(low: float, high: float) -> float:
        return math.exp(rng.uniform(math.log(low), math.log(high)))

    return LidarNoise(
        range_std=log_uniform(0.002, 0.04),
        range_std_per_m=log_uniform(0.0001, 0.002),
        dropout=log_uniform(0.001, 0.2),
        fading=log_uniform(20, 300),
        cone_fading=log_uniform(8, 100),
        edge_dropout=rng.uniform(0, 0.9),
        ground_sine=log_uniform(0.001, 0.05),
        ground_roughness=log_uniform(0.001, 0.02),
        mixed=rng.uniform(0, 0.6),
        specks=log_uniform(0.05, 8),
        max_range=rng.choice([10.0, 20.0, 30.0, 60.0, 120.0]),
    )


def random_slopes(rng: np.random.Generator, fan: Fan) -> Floats:
    """``(B,)`` rise of each beam over uneven ground: mounting, attitude, ramps, bumps, crests."""
    angles = fan.angles()
    elevation = rng.choice([0.0, 1.0]) * rng.uniform(-0.045, 0.025)
    pitch, roll = rng.normal(0, 0.012, 2)
    slopes: Floats = elevation - pitch * np.cos(angles) + roll * np.sin(angles)
    for wave in range(2, 7):
        size = rng.normal(0, 0.008) / wave
        slopes = slopes + size * np.cos(wave * angles + rng.uniform(0, 2 * math.pi))
    if rng.random() < 0.3:
        # A crest or gutter across the view: the ground bends along a line.
        bend, towards = rng.normal(0, 0.015), rng.uniform(-math.pi, math.pi)
        slopes = slopes + bend * np.maximum(np.cos(angles - towards), 0.0)
    return slopes


def random_blocking(rng: np.random.Generator, fan: Fan) -> Bools:
    """``(B,)`` mask of beams that the car or dirt on the lens blocks."""
    angles = fan.angles()
    hidden = np.zeros(fan.beams, dtype=bool)
    if rng.random() < 0.5:
        behind = rng.uniform(0.5 * math.pi, math.pi, 2)
        hidden |= (angles > behind[0]) | (angles < -behind[1])
    for _ in range(rng.poisson(0.3)):
        centre, half = rng.uniform(-math.pi, math.pi), rng.uniform(0.005, 0.1)
        hidden |= np.abs(angles - centre) < half
    return hidden
