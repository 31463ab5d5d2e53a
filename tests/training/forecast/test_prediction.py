"""Predictions of evidence whose answer is worked out by hand."""

import dataclasses

import pytest

from conegrad_training.forecast.evidence import Evidence, evidence_of
from conegrad_training.forecast.prediction import Constants, predict
from conegrad_training.forecast.scores import Scores

# A network whose probe lowers the loss by a tenth will reach half of its bound.
CONSTANTS = Constants(
    half_decline=0.1,
    fusion_share=0.5,
    calibration_share=0.25,
    small_gain=0.0,
    loss_of_training=0.0,
    loss_of_more=0.0,
    error_floor=0.02,
    error_slope=0.5,
)
START = Scores(0.5, 1.0)


def evidence(declines, bounds, after=0.5):
    """Of networks a and b and a stage that joins them."""
    probed = {name: Scores(after, 1.0 - decline) for name, decline in declines.items()}
    options = {**probed, "all": Scores(after, 0.9), "fusion": START, "calibration": START}
    perfect = {
        frozenset(name.split()): Scores(0.5 + bound, 0.0)
        for name, bound in {"join": 0.0, "calibration": 0.0, **bounds}.items()
    }
    return Evidence(("a", "b"), ("join",), START, options, perfect, {})


def test_half_of_the_bound_is_reached_after_such_a_decline():
    found = predict(evidence({"a": 0.1, "b": 0.0}, {"a": 0.4, "b": 0.3, "a b": 0.5}), CONSTANTS)
    assert found["a"].gain == pytest.approx(0.2)
    assert (found["a"].low, found["a"].high) == (pytest.approx(0.08), pytest.approx(0.32))
    assert found["a"].bound == pytest.approx(0.4)
    assert found["b"].gain == 0.0


def test_networks_that_need_each_other_gain_together():
    found = predict(evidence({"a": 0.1, "b": 0.1}, {"a": 0.0, "b": 0.0, "a b": 0.4}), CONSTANTS)
    assert found["a"].gain == found["b"].gain == 0.0
    assert found["all"].gain == pytest.approx(0.4 * 0.5 * 0.5)


def test_a_loss_that_rises_reaches_nothing():
    found = predict(evidence({"a": -0.3, "b": 0.0}, {"a": 0.4, "b": 0.0, "a b": 0.4}), CONSTANTS)
    assert found["a"].gain == 0.0


def test_what_joins_learns_along_in_every_option():
    bounds = {"join": 0.2, "calibration": 0.4, "a": 0.4, "b": 0.0, "a b": 0.4}
    found = predict(evidence({"a": 0.1, "b": 0.0}, bounds), CONSTANTS)
    assert found["fusion"].gain == pytest.approx(0.1)
    assert found["calibration"].gain == pytest.approx(0.1 + 0.25 * 0.4)
    assert found["a"].gain == pytest.approx(0.5 * (0.1 + 0.4))
    assert found["b"].gain == pytest.approx(0.1)


def test_where_little_is_expected_the_gain_of_the_probe_counts():
    constants = dataclasses.replace(CONSTANTS, small_gain=0.2, loss_of_training=0.01)
    of_probe = evidence({"a": 0.1, "b": 0.0}, {"a": 0.4, "b": 0.0, "a b": 0.4}, after=0.56)
    found = predict(of_probe, constants)
    assert found["a"].gain == pytest.approx(0.5 * 0.2 + 0.5 * 0.06 - 0.01)
    assert found["b"].gain == pytest.approx(0.06 - 0.01)


def test_nobody_gains_more_than_is_missing():
    found = predict(evidence({"a": 0.0, "b": 0.0}, {"join": 2.0}), CONSTANTS)
    assert found["fusion"].gain == pytest.approx(0.5)


def test_evidence_survives_as_plain_values():
    given = evidence({"a": 0.1, "b": 0.0}, {"a": 0.4, "b": 0.3, "a b": 0.5})
    assert evidence_of(given.to_dict()) == given
