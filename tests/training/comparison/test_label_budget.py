import pytest

from conegrad_training.comparison.label_budget import evenly_spaced, samples_within_budget


def test_selects_as_many_evenly_spaced_samples_as_the_budget_allows():
    # Two samples out of six are those at 0 and 3, which cost 400 together; three are at 0, 2, 4.
    costs = [100, 1, 300, 300, 300, 1]
    assert samples_within_budget(400, costs) == [0, 3]
    assert samples_within_budget(399, costs) == [0]
    assert samples_within_budget(700, costs) == [0, 2, 4]
    assert samples_within_budget(10_000, costs) == [0, 1, 2, 3, 4, 5]
    # Two would be those at 0 and 2, over the budget; three are those at 0, 1 and 3.
    assert samples_within_budget(25, [10, 5, 40, 5, 5]) == [0, 1, 3]


def test_one_sample_is_the_least():
    assert samples_within_budget(5, [100, 100]) == [0]


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (3, [0, 3, 6]), (10, list(range(10)))])
def test_spaces_samples_evenly(count: int, expected: list[int]):
    assert evenly_spaced(count, 10) == expected
