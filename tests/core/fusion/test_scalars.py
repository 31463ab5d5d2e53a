"""The learned scalars: kept positive, set by name."""

import json

import pytest
import torch

from conegrad_core.fusion.scalars import INITIAL_VALUES, SIGNED, FusionScalars, ScalarValues
from conegrad_core.weights import WEIGHTS_FOLDER


def test_starts_at_the_documented_values():
    assert FusionScalars().values() == pytest.approx(INITIAL_VALUES)


def test_every_scalar_is_documented():
    for name in ScalarValues._fields:
        assert f"{name}: " in ScalarValues.__doc__


def test_the_built_in_values_are_those_of_the_card():
    card = json.loads((WEIGHTS_FOLDER / "fusion.json").read_text())
    assert card["values"] == INITIAL_VALUES


def test_no_step_makes_a_positive_scalar_negative():
    scalars = FusionScalars()
    with torch.no_grad():
        for parameter in scalars.parameters():
            parameter -= 10.0
    values = scalars.values()
    assert all(value > 0 for name, value in values.items() if name not in SIGNED)
    assert values["missed_bias"] == pytest.approx(INITIAL_VALUES["missed_bias"] - 10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cone_radius": -1.0}, "cone_radius is -1.0, expected a finite number above 0"),
        ({"lidar_bias": float("nan")}, "lidar_bias is nan, expected a finite number"),
        ({"radius": 1.0}, "fusion scalar 'radius' is unknown"),
    ],
)
def test_refuses_bad_values(values, message):
    with pytest.raises(ValueError, match=message):
        FusionScalars().set_values(values)
