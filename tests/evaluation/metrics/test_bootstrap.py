import math

import numpy as np
import pytest

from conegrad_evaluation.metrics.bootstrap import f1_interval


def test_equal_frames_give_a_point():
    interval = f1_interval(np.full(20, 3), np.full(20, 8), samples=100)
    assert (interval.low, interval.high) == pytest.approx((0.75, 0.75))


def test_the_interval_contains_the_value_of_all_frames():
    generator = np.random.default_rng(5)
    totals = generator.integers(6, 14, 200)
    hits = generator.binomial(totals // 2, 0.8)
    interval = f1_interval(hits, totals, samples=500)
    assert interval.low < 2 * hits.sum() / totals.sum() < interval.high
    assert interval.high - interval.low < 0.1


def test_blocks_widen_the_interval_of_correlated_frames():
    hits = np.repeat(np.array([0, 4] * 10), 10)  # ten equal frames in a row
    totals = np.full(200, 8)
    alone = f1_interval(hits, totals, samples=500)
    in_blocks = f1_interval(hits, totals, samples=500, block=10)
    assert in_blocks.high - in_blocks.low > 1.5 * (alone.high - alone.low)


def test_the_seed_decides_the_interval():
    hits, totals = np.array([1, 0, 3, 2, 4]), np.array([6, 5, 7, 6, 8])
    one, same, other = (f1_interval(hits, totals, samples=50, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_block_longer_than_the_drive_is_the_whole_drive():
    hits, totals = np.array([1, 2, 3]), np.array([4, 6, 8])
    interval = f1_interval(hits, totals, samples=20, block=100)
    assert (interval.low, interval.high) == pytest.approx((12 / 18, 12 / 18))


def test_without_cones_and_truth_there_is_no_interval():
    interval = f1_interval(np.zeros(3, np.int64), np.zeros(3, np.int64), samples=10)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
