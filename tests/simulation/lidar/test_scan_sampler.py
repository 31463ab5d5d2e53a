"""Randomised scans for training: seeded, labelled, and of many sensors."""

import math

import numpy as np

from conegrad_simulation.lidar.ray_casting import Fan
from conegrad_simulation.lidar.scan_sampler import random_fan, sample_batch


def test_a_batch_is_a_function_of_its_seed():
    first, again, other = sample_batch(5, 3), sample_batch(5, 3), sample_batch(6, 3)
    np.testing.assert_array_equal(first.ranges, again.ranges)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.step == again.step
    assert first.ranges.shape != other.ranges.shape or first.step != other.step


def test_cones_are_labelled_only_where_there_is_a_return():
    for seed in range(8):
        batch = sample_batch(seed, 4)
        assert batch.ranges.dtype == np.float32
        assert not batch.labels[np.isnan(batch.ranges)].any()
        assert np.nanmin(batch.ranges) > 0


def test_scans_hold_cones_and_other_targets():
    batches = [sample_batch(seed, 8) for seed in range(10)]
    cones = sum(batch.labels.sum() for batch in batches)
    returns = sum(np.isfinite(batch.ranges).sum() for batch in batches)
    assert 0.02 < cones / returns < 0.4


def test_a_given_sensor_is_kept():
    batch = sample_batch(1, 2, Fan(-1.0, 0.01, 201))
    assert batch.ranges.shape == (2, 201)
    assert batch.step == 0.01


def test_sensors_differ_in_beams_and_view():
    rng = np.random.default_rng(0)
    fans = [random_fan(rng) for _ in range(60)]
    views = [fan.step * fan.beams for fan in fans]
    assert min(fan.beams for fan in fans) < 600 < 1600 < max(fan.beams for fan in fans)
    assert math.pi <= min(views) + 0.01
    assert max(views) <= 2 * math.pi + 1e-9
    assert sum(view > 2 * math.pi - 1e-6 for view in views) > 10
