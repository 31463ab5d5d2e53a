"""Noise changes a scan as its settings say, and nothing else."""

import numpy as np

from conegrad_simulation.lidar.lidar_noise import LidarNoise, apply_noise
from conegrad_simulation.lidar.ray_casting import GROUND, NOTHING, Hits, Targets

BEAMS = 4000
SILENT = LidarNoise(
    range_std=0.0,
    range_std_per_m=0.0,
    dropout=0.0,
    fading=1e9,
    cone_fading=1e9,
    edge_dropout=0.0,
    ground_sine=1e-9,
    ground_roughness=0.0,
    mixed=0.0,
    specks=0.0,
    max_range=30.0,
)


def hits(ranges, owner=0, grazing=0.0) -> Hits:
    ranges = np.broadcast_to(np.asarray(ranges, dtype=float), BEAMS).copy()
    owners = np.where(np.isfinite(ranges), owner, NOTHING)
    return Hits(ranges, owners, np.full(BEAMS, grazing))


def disturb(these, *, is_cone=True, depth_scatter=0.0, height=0.15, **changes):
    targets = Targets(
        np.zeros((1, 7)),
        np.zeros((0, 5)),
        np.array([is_cone]),
        np.array([depth_scatter]),
        np.ones(1),
    )
    noise = LidarNoise(**{**vars(SILENT), **changes})
    return apply_noise(these, targets, height, noise, np.random.default_rng(3))


def test_without_noise_the_scan_is_exact():
    ranges, labels = disturb(hits(5.0))
    assert (ranges == 5.0).all()
    assert labels.all()


def test_a_beam_without_a_hit_is_nan_and_not_a_cone():
    ranges, labels = disturb(hits(np.inf))
    assert np.isnan(ranges).all()
    assert not labels.any()


def test_ranges_scatter_by_both_deviations():
    ranges, _ = disturb(hits(10.0), range_std=0.02, range_std_per_m=0.001)
    assert abs(np.std(ranges) - 0.03) < 0.002
    assert abs(np.mean(ranges) - 10.0) < 0.002


def test_foliage_returns_from_its_surface_or_deeper():
    ranges, _ = disturb(hits(10.0), depth_scatter=0.5)
    assert ranges.min() >= 10.0
    assert abs(np.median(ranges) - 10.34) < 0.03  # median of |N(0, 0.5)| is 0.337


def test_half_of_the_returns_fade_at_the_fading_range():
    ranges, labels = disturb(hits(8.0), cone_fading=8.0)
    assert abs(np.isfinite(ranges).mean() - 0.5) < 0.03
    assert (labels == np.isfinite(ranges)).all()
    other, _ = disturb(hits(8.0), is_cone=False, cone_fading=8.0)
    assert np.isfinite(other).all()


def test_half_of_the_ground_returns_are_lost_at_the_grazing_sine():
    # Height 0.15 at 15 m: sine 0.01.
    ranges, labels = disturb(hits(15.0, owner=GROUND), ground_sine=0.01)
    assert abs(np.isfinite(ranges).mean() - 0.5) < 0.03
    assert not labels.any()


def test_mixed_returns_lie_between_both_surfaces_and_leave_the_cone():
    exact = np.where(np.arange(BEAMS) % 4 == 0, 5.0, 9.0)
    ranges, labels = disturb(hits(exact), mixed=1.0)
    assert (ranges >= 5.0).all()
    assert (ranges <= 9.0).all()
    far = (exact == 5.0) & (ranges > 5.1)
    assert far.any()
    assert not labels[far].any()


def test_spurious_returns_are_near_and_not_cones():
    ranges, labels = disturb(hits(np.inf), specks=50.0)
    count = np.isfinite(ranges).sum()
    assert 25 < count < 80
    assert not labels.any()


def test_returns_beyond_the_maximum_are_lost():
    ranges, labels = disturb(hits(30.5))
    assert np.isnan(ranges).all()
    assert not labels.any()
