import numpy as np
import pytest

from conegrad_evaluation.metrics.range_bins import BIN_NAMES, bin_of


@pytest.mark.parametrize(
    ("distance", "name"),
    [(0.0, "0-5 m"), (4.999, "0-5 m"), (5.0, "5-10 m"), (19.9, "15-20 m"), (500.0, "20+ m")],
)
def test_a_distance_belongs_to_the_bin_that_it_names(distance: float, name: str):
    assert BIN_NAMES[int(bin_of(np.array([distance]))[0])] == name
