import math

import pytest

from conegrad_training.comparison.confidence_interval import confidence_interval


def test_mean_and_range_of_the_seeds():
    interval = confidence_interval([0.5, 0.25, 0.75])
    assert (interval.mean, interval.minimum, interval.maximum) == (0.5, 0.25, 0.75)


@pytest.mark.parametrize(
    ("values", "half_width"),
    # Student's t at 97.5 %: 12.706 with one degree of freedom, 4.303 with two.
    [([1.0, 3.0], 12.706), ([1.0, 2.0, 3.0], 4.303 / math.sqrt(3))],
)
def test_the_half_width_is_that_of_student(values: list[float], half_width: float):
    assert confidence_interval(values).half_width == pytest.approx(half_width, rel=1e-3)


def test_equal_values_have_no_width():
    assert confidence_interval([0.5] * 4).half_width == 0.0


def test_one_value_has_no_interval():
    assert math.isnan(confidence_interval([0.5]).half_width)


def test_no_values_are_refused():
    with pytest.raises(ValueError, match="values is empty, expected at least one"):
        confidence_interval([])
