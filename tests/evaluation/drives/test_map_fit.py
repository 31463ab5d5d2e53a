import math

import pytest

from conegrad_evaluation.drives.map_fit import misfit_warning


@pytest.mark.parametrize(
    ("precision", "recall", "is_doubted"),
    [
        pytest.param(0.9, 0.9, False, id="a fit"),
        pytest.param(0.1, 0.8, False, id="many false cones beside the right ones"),
        pytest.param(0.8, 0.1, False, id="few cones, and they are right"),
        pytest.param(0.02, 0.08, True, id="another track"),
        pytest.param(0.0, math.nan, True, id="no cone of the map within the range that counts"),
        pytest.param(math.nan, 0.0, False, id="nothing was perceived"),
    ],
)
def test_a_map_is_doubted_where_next_to_nothing_matches(
    precision: float, recall: float, is_doubted: bool
):
    text = misfit_warning(precision, recall, "map.csv")
    assert (text is not None) == is_doubted
    assert not is_doubted or "map.csv" in text
