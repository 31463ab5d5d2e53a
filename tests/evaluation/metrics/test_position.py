import math

import numpy as np
import pytest

from conegrad_evaluation.metrics.position import along_and_across, position_error


def test_errors_along_and_across_the_ray():
    truth = np.array([[10.0, 0.0], [0.0, 10.0], [3.0, 4.0]])
    errors = np.array([[1.0, 2.0], [1.0, 2.0], [0.6, 0.8]])
    along, across = along_and_across(errors, truth)
    assert along == pytest.approx([1.0, 2.0, 1.0])
    assert across == pytest.approx([2.0, -1.0, 0.0])  # counter-clockwise is positive


def test_a_constant_error_is_bias_and_rmse():
    result = position_error(np.array([[0.3, -0.4]] * 5), np.array([[10.0, 0.0]] * 5))
    assert result.count == 5
    assert result.rmse == result.median == result.p95 == pytest.approx(0.5)
    assert (result.bias_x, result.bias_y) == pytest.approx((0.3, -0.4))
    assert (result.bias_radial, result.bias_tangential) == pytest.approx((0.3, -0.4))
    assert (result.rmse_radial, result.rmse_tangential) == pytest.approx((0.3, 0.4))


def test_opposite_errors_cancel_in_the_bias_but_not_in_the_rmse():
    result = position_error(np.array([[0.2, 0.0], [-0.2, 0.0]]), np.array([[5.0, 0.0]] * 2))
    assert result.bias_radial == pytest.approx(0.0)
    assert result.rmse == pytest.approx(0.2)


def test_without_matches_there_is_no_error():
    result = position_error(np.zeros((0, 2)), np.zeros((0, 2)))
    assert result.count == 0
    assert math.isnan(result.rmse)
    assert math.isnan(result.bias_tangential)
