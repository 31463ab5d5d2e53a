"""Predictions of evidence whose answer is worked out by hand."""

import dataclasses
import math

import pytest

from conegrad_training.forecast.evidence import Evidence, evidence_of
from conegrad_training.forecast.prediction import Constants, predict
from conegrad_training.forecast.scores import Scores

# A network whose probe lowers the loss by a tenth will reach half of its bound.
CONSTANTS = Constants(
    trial_share=1.0,
    half_decline=0.1,
    small_gain=0.0,
    loss_of_training=0.0,
    loss_of_more=0.0,
    error_floor=0.02,
    error_slope=0.5,
)
START = Scores(0.5, 1.0)


def evidence(decline, bounds, *, fusion=0.0, small=0.0, probed=0.0):
    """Of networks a, which is probed, and b, which is tried, and a stage that joins them."""
    of_trial = {"fusion": fusion, "calibration": fusion, "b": small}
    tried = {name: Scores(0.5 + gain, 1.0) for name, gain in of_trial.items()}
    along = {"a": tried["fusion"], "all": tried["b"]}
    after = {name: Scores(s.f1_colour + probed, 1.0 - decline) for name, s in along.items()}
    perfect = {frozenset(name.split()): Scores(0.5 + bound, 0.0) for name, bound in bounds.items()}
    return Evidence(("a", "b"), ("join",), START, tried, along, after, perfect, {})


BOUNDS = {"a": 0.4, "b": 0.3, "a b": 0.5}


def test_an_option_that_was_tried_gains_what_its_trial_gained():
    found = predict(evidence(0.1, BOUNDS, fusion=0.05, small=0.2), CONSTANTS)
    assert found["b"].gain == pytest.approx(0.2)
    assert found["fusion"].gain == found["calibration"].gain == pytest.approx(0.05)
    assert (found["b"].low, found["b"].high) == (pytest.approx(0.08), pytest.approx(0.32))
    assert found["b"].bound == pytest.approx(0.3)
    assert math.isnan(found["fusion"].bound)


def test_a_part_of_the_gain_of_a_trial_counts():
    constants = dataclasses.replace(CONSTANTS, trial_share=0.5)
    found = predict(evidence(0.0, BOUNDS, small=0.2), constants)
    assert found["b"].gain == found["all"].gain == pytest.approx(0.1)


def test_half_of_the_bound_is_reached_after_such_a_decline():
    found = predict(evidence(0.1, BOUNDS), CONSTANTS)
    assert found["a"].gain == pytest.approx(0.2)
    assert found["a"].bound == pytest.approx(0.4)


def test_a_loss_that_rises_reaches_nothing():
    assert predict(evidence(-0.3, BOUNDS), CONSTANTS)["a"].gain == 0.0


def test_what_joins_learns_along():
    found = predict(evidence(0.1, BOUNDS, fusion=0.1), CONSTANTS)
    assert found["a"].gain == pytest.approx(0.5 * (0.1 + 0.4))


def test_networks_that_need_each_other_gain_together():
    found = predict(evidence(0.1, {"a": 0.0, "b": 0.3, "a b": 0.5}, small=0.3), CONSTANTS)
    assert found["a"].gain == 0.0
    assert found["all"].gain == pytest.approx(0.5 * (0.3 + 0.5))


def test_where_little_is_expected_the_gain_of_the_probe_counts():
    constants = dataclasses.replace(CONSTANTS, small_gain=0.2, loss_of_training=0.01)
    found = predict(evidence(0.1, BOUNDS, probed=0.06), constants)
    assert found["a"].gain == pytest.approx(0.5 * 0.2 + 0.5 * 0.06 - 0.01)


def test_nobody_gains_more_than_is_missing():
    found = predict(evidence(0.0, BOUNDS, fusion=2.0), CONSTANTS)
    assert found["fusion"].gain == pytest.approx(0.5)


def test_evidence_survives_as_plain_values():
    given = evidence(0.1, BOUNDS)
    assert evidence_of(given.to_dict()) == given
