import math

import numpy as np
import pytest

from conegrad_evaluation.metrics.curve import KEPT_POINTS, precision_recall


def test_the_points_of_the_curve_are_those_of_each_threshold():
    curve = precision_recall(np.array([0.6, 0.9, 0.3]), np.array([False, True, True]), 4)
    assert curve.thresholds == (0.9, 0.6, 0.3)
    assert curve.precision == pytest.approx((1.0, 1 / 2, 2 / 3))
    assert curve.recall == pytest.approx((1 / 4, 1 / 4, 2 / 4))
    # Monotonous precision: 1 up to recall 1/4, then 2/3 up to 2/4.
    assert curve.average_precision == pytest.approx(1 / 4 + 2 / 3 / 4)
    assert curve.best_f1 == pytest.approx(4 / 7)
    assert curve.best_threshold == 0.3


def test_cones_of_equal_existence_pass_a_threshold_together():
    curve = precision_recall(np.array([0.5, 0.5]), np.array([True, False]), 1)
    assert curve.thresholds == (0.5,)
    assert curve.precision == (0.5,)


def test_without_truth_there_is_no_average_precision():
    curve = precision_recall(np.array([0.5]), np.array([False]), 0)
    assert math.isnan(curve.average_precision)
    assert curve.thresholds == ()


def test_without_cones_the_average_precision_is_zero():
    curve = precision_recall(np.zeros(0), np.zeros(0, np.bool_), 3)
    assert curve.average_precision == 0.0
    assert math.isnan(curve.best_f1)


def test_long_curves_are_thinned_after_the_area_is_computed():
    generator = np.random.default_rng(2)
    existence, hits = generator.random(3000), generator.random(3000) < 0.5
    curve = precision_recall(existence, hits, 2000)
    assert len(curve.thresholds) == KEPT_POINTS
    assert curve.thresholds[0] == existence.max()
    assert curve.thresholds[-1] == existence.min()
    assert curve.recall[-1] == pytest.approx(hits.sum() / 2000)
