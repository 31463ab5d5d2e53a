"""Groups of cones close together: gates of big orange cones, rows, and cones put away."""

import numpy as np

from conegrad_core.cones import CLASS_NAMES, ConeClass
from conegrad_simulation.planar import Floats, Ints

GATE_WIDTHS = (2.5, 5.5)  # [m] between the two sides of a gate
PAIR_GAPS = (0.3, 0.75)  # [m] between neighbours in a pair
GROUPS = ("gate", "gate", "row", "store")


def random_groups(rng: np.random.Generator, half_view: float, scale: float) -> tuple[Floats, Ints]:
    """Cones ``(N, 2)`` ahead of a car at the origin [m], and their classes.

    Args:
        rng: source of all random draws.
        half_view: half of the camera's horizontal field of view [rad].
        scale: of the distances, 1 for a Formula Student track.
    """
    found = [_group(rng, half_view, scale) for _ in range(int(rng.integers(1, 4)))]
    places = np.vstack([places for places, _ in found])
    return places, np.concatenate([classes for _, classes in found])


def _group(rng: np.random.Generator, half_view: float, scale: float) -> tuple[Floats, Ints]:
    distance = float(np.exp(rng.uniform(np.log(2.0), np.log(22.0)))) * scale
    azimuth = rng.uniform(-0.8, 0.8) * half_view
    middle = distance * np.array([np.cos(azimuth), np.sin(azimuth)])
    kind = str(rng.choice(GROUPS))
    offsets, classes = {"gate": _gate, "row": _row, "store": _store}[kind](rng)
    # Towards the car, along it or at any angle: cones stand beside and behind each other.
    turn = azimuth + rng.choice((0.0, np.pi / 2, rng.uniform(0, np.pi))) + rng.normal(0, 0.15)
    cosine, sine = np.cos(turn), np.sin(turn)
    return middle + offsets @ np.array([[cosine, sine], [-sine, cosine]]), classes


def _gate(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Two or three big orange cones on either side, sometimes with small ones beside them."""
    gap, count = rng.uniform(*PAIR_GAPS), int(rng.integers(2, 4))
    along = (np.arange(count) - (count - 1) / 2) * gap
    half = rng.uniform(*GATE_WIDTHS) / 2
    places = np.array([[x, y] for y in (-half, half) for x in along])
    classes = np.full(len(places), int(ConeClass.BIG_ORANGE))
    other = rng.random(len(places)) < rng.choice((0.0, 0.25))
    classes[other] = int(rng.integers(len(CLASS_NAMES)))
    return places + rng.normal(0, 0.04, places.shape), classes


def _row(rng: np.random.Generator) -> tuple[Floats, Ints]:
    count = int(rng.integers(2, 7))
    along = np.cumsum(rng.uniform(0.26, 0.9, count))
    places = np.column_stack([along - along.mean(), rng.normal(0, 0.06, count)])
    return places, np.full(count, int(rng.integers(len(CLASS_NAMES))))


def _store(rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Cones put away or waiting: a cloud of all kinds."""
    count = int(rng.integers(3, 12))
    places = rng.normal(0, rng.uniform(0.3, 0.9), (count, 2))
    return places, rng.integers(len(CLASS_NAMES), size=count).astype(np.int64)
