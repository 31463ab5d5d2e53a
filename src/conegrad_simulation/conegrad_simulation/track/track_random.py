"""Random closed tracks within the dimensions of the Formula Student rules."""

import numpy as np
from scipy.spatial import cKDTree

from conegrad_core.cones import ConeClass
from conegrad_simulation.planar import Floats, Ints
from conegrad_simulation.track.curve import closed_curvature, left_normals, resample
from conegrad_simulation.track.track import Track

STEP = 0.25  # [m] between points of the centre line
MIN_RADIUS = 5.0  # [m] of the centre line: the outer diameter of hairpins is at least 9 m
LANE_WIDTHS = (3.2, 4.8)  # [m], inside the 3 to 5 m of the rules
MAX_SPACING, MIN_SPACING = 4.5, 2.0  # [m] between cones of one side, straight and in corners
START_HALF_GAP = 0.75  # [m], between the two pairs of big cones of the start line, halved


def random_track(seed: int) -> Track:
    """Closed track of about 150 to 400 m: a pure function of its seed.

    Blue cones stand left, yellow ones right; two pairs of big orange cones mark the start line
    4 m ahead of the first point of the centre line.
    """
    rng = np.random.default_rng((seed, 0x7AC4))
    while True:
        centre = _centre_line(rng)
        half_widths = _half_widths(rng, len(centre))
        left, right = _borders(centre, half_widths)
        if _is_clear(centre, half_widths, left, right):
            break
    start = round(4.0 / STEP)
    positions, classes = _cones(rng, left, right, closed_curvature(centre), start)
    return Track(f"random_{seed}", positions, classes, centre, is_closed=True)


def _centre_line(rng: np.random.Generator) -> Floats:
    angle = np.linspace(0.0, 2 * np.pi, 1440, endpoint=False)
    orders = np.arange(2, 8)
    amplitudes = rng.normal(0.0, 1.0, len(orders)) * 0.6 / orders**0.9
    phases = rng.uniform(0.0, 2 * np.pi, len(orders))
    waves = (amplitudes[:, None] * np.cos(orders[:, None] * angle + phases[:, None])).sum(axis=0)
    size, stretch = rng.uniform(26.0, 52.0), rng.uniform(0.6, 1.0)
    strength = 1.0
    while True:
        radius = size * np.exp(strength * waves)
        points = np.stack([radius * np.cos(angle), stretch * radius * np.sin(angle)], axis=1)
        points = resample(points, STEP, is_closed=True)
        smooth = np.convolve(np.tile(closed_curvature(points), 3), np.full(8, 1 / 8), "same")
        if np.abs(smooth).max() < 1 / MIN_RADIUS:
            break
        strength *= 0.9
    points = points[::-1] if rng.random() < 0.5 else points
    # Start on the straightest stretch, as real tracks do.
    curvature = np.abs(closed_curvature(points))
    window = np.convolve(np.tile(curvature, 3), np.full(80, 1 / 80), "same")
    return np.roll(points, -int(window[len(points) : 2 * len(points)].argmin()) + 30, axis=0)


def _half_widths(rng: np.random.Generator, count: int) -> Floats:
    low, high = np.sort(rng.uniform(*LANE_WIDTHS, 2))
    wave = np.sin(rng.integers(1, 5) * np.linspace(0, 2 * np.pi, count) + rng.uniform(0, 6.28))
    return np.asarray(0.25 * (low + high) + 0.25 * (high - low) * wave)


def _borders(centre: Floats, half_widths: Floats) -> tuple[Floats, Floats]:
    offset = half_widths[:, None] * left_normals(centre, is_closed=True)
    return centre + offset, centre - offset


def _is_clear(centre: Floats, half_widths: Floats, left: Floats, right: Floats) -> bool:
    """Whether both borders keep about half the lane width from every part of the centre line."""
    tree = cKDTree(centre)
    nearest = np.minimum(tree.query(left)[0], tree.query(right)[0])
    return bool((nearest > half_widths.min() * 0.97 - 0.05).all())


def _cones(
    rng: np.random.Generator, left: Floats, right: Floats, curvature: Floats, start: int
) -> tuple[Floats, Ints]:
    groups = [
        _big_cones(left, right, start),
        *(
            (_side(rng, border, curvature, start), colour)
            for border, colour in ((left, ConeClass.BLUE), (right, ConeClass.YELLOW))
        ),
    ]
    positions = np.vstack([group for group, _ in groups])
    classes = np.concatenate([np.full(len(group), int(colour)) for group, colour in groups])
    return positions, classes.astype(np.int64)


def _big_cones(left: Floats, right: Floats, start: int) -> tuple[Floats, ConeClass]:
    reach = round(START_HALF_GAP / STEP)
    return np.vstack(
        [border[[start - reach, start + reach]] for border in (left, right)]
    ), ConeClass.BIG_ORANGE


def _side(rng: np.random.Generator, border: Floats, curvature: Floats, start: int) -> Floats:
    """Cones along one border, closer where it bends; the start lies between two of them."""
    spacing = np.clip(0.33 / np.maximum(np.abs(curvature), 1e-3), MIN_SPACING, MAX_SPACING)
    spacing = np.convolve(np.tile(spacing, 3), np.full(16, 1 / 16), "same")[len(border) :]
    steps = np.linalg.norm(np.roll(border, -1, axis=0) - border, axis=1)
    share = np.concatenate([[0.0], np.cumsum(steps / spacing[: len(border)])])
    count = int(np.ceil(share[-1]))
    wanted = share[start] + (np.arange(count) + 0.5) * share[-1] / count
    at = np.interp(wanted % share[-1], share, np.arange(len(share)))
    cones = border[np.round(at).astype(int) % len(border)]
    return np.asarray(cones + rng.normal(0.0, 0.03, (count, 2)))
