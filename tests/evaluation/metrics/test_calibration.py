import math

import numpy as np
import pytest

from conegrad_evaluation.metrics.calibration import CHI2_95, consistency, nees, reliability


def test_nees_of_an_error_along_an_axis_is_its_squared_sigma():
    covariances = np.array([[[0.04, 0.0], [0.0, 0.01]]] * 2)
    values = nees(np.array([[0.2, 0.0], [0.0, 0.3]]), covariances)
    assert values == pytest.approx([1.0, 9.0])


def test_nees_uses_the_correlation():
    covariance = np.array([[[2.0, 1.0], [1.0, 2.0]]])
    # The inverse is [[2, -1], [-1, 2]] / 3.
    assert nees(np.array([[1.0, 1.0]]), covariance) == pytest.approx([2 / 3])
    assert nees(np.array([[1.0, -1.0]]), covariance) == pytest.approx([2.0])


@pytest.mark.parametrize(
    "covariance", [[[0.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[-1.0, 0.0], [0.0, -1.0]]]
)
def test_nees_is_nan_unless_the_covariance_is_positive_definite(covariance):
    assert np.isnan(nees(np.ones((1, 2)), np.array([covariance]))).all()


def test_consistency_counts_invalid_values_separately():
    result = consistency(np.array([1.0, np.nan, 3.0, CHI2_95 + 1]))
    assert (result.count, result.invalid) == (3, 1)
    assert result.median == 3.0
    assert result.inside_95 == pytest.approx(2 / 3)


def test_consistency_of_a_consistent_covariance():
    errors = np.random.default_rng(1).normal(0.0, 0.1, (20_000, 2))
    result = consistency(nees(errors, np.tile(0.01 * np.eye(2), (20_000, 1, 1))))
    assert result.mean == pytest.approx(2.0, abs=0.06)
    assert result.median == pytest.approx(1.386, abs=0.05)
    assert result.inside_95 == pytest.approx(0.95, abs=0.006)


def test_consistency_without_values_is_nan():
    result = consistency(np.zeros(0))
    assert (result.count, result.invalid) == (0, 0)
    assert math.isnan(result.mean)


def test_certain_cones_belong_to_the_last_bin():
    result = reliability(np.array([1.0, 0.0]), np.array([True, False]))
    assert result.counts == (1, *[0] * 8, 1)
    assert result.ece == 0.0
    assert math.isnan(result.accuracy[4])


def test_the_calibration_error_is_weighted_by_the_cones_of_a_bin():
    # Three cones at 0.85, of which one exists; one at 0.05 that does not.
    result = reliability(np.array([0.85] * 3 + [0.05]), np.array([True, False, False, False]))
    assert result.ece == pytest.approx((3 * (0.85 - 1 / 3) + 0.05) / 4)


def test_the_calibration_error_without_cones_is_nan():
    assert math.isnan(reliability(np.zeros(0), np.zeros(0, np.bool_)).ece)
