"""Forecasts against what was realised, with figures worked out by hand."""

import pytest

from conegrad_training.forecast.judgement import Outcome, judge


def outcome(case, option, predicted, realised):
    return Outcome(case, option, predicted, predicted - 0.05, predicted + 0.05, realised)


OUTCOMES = [
    outcome("one", "a", 0.30, 0.20),
    outcome("one", "b", 0.10, 0.10),
    outcome("two", "a", 0.02, 0.00),
    outcome("two", "b", 0.00, 0.03),
]


def test_errors_order_choices_and_intervals():
    found = judge(OUTCOMES)
    assert (found.options, found.cases) == (4, 2)
    assert found.mean_error == pytest.approx((0.10 + 0.0 + 0.02 + 0.03) / 4)
    assert found.spearman == pytest.approx(0.8)  # the last two change places
    assert found.best_choices == 1
    assert found.covered == 0.75
    assert found.regret == pytest.approx(0.015)


def test_a_choice_within_the_spread_of_seeds_is_as_good():
    assert judge(OUTCOMES, spread=0.02).best_choices == 1  # two gains differ by 0.028
    assert judge(OUTCOMES, spread=0.022).best_choices == 2


def test_refuses_nothing():
    with pytest.raises(ValueError, match="outcomes is empty"):
        judge([])
