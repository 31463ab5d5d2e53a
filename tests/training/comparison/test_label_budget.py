import pytest

from conegrad_training.comparison.label_budget import affordable, spread_evenly


def test_buys_as_many_evenly_spread_samples_as_the_values_pay_for():
    # Two samples out of six are those at 0 and 3, which cost 400 together; three are at 0, 2, 4.
    costs = [100, 1, 300, 300, 300, 1]
    assert affordable(400, costs) == [0, 3]
    assert affordable(399, costs) == [0]
    assert affordable(700, costs) == [0, 2, 4]
    assert affordable(10_000, costs) == [0, 1, 2, 3, 4, 5]
    # Two would be those at 0 and 2, too dear; three are those at 0, 1 and 3.
    assert affordable(25, [10, 5, 40, 5, 5]) == [0, 1, 3]


def test_one_sample_is_the_least():
    assert affordable(5, [100, 100]) == [0]


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (3, [0, 3, 6]), (10, list(range(10)))])
def test_spreads_samples_evenly(count: int, expected: list[int]):
    assert spread_evenly(count, 10) == expected
