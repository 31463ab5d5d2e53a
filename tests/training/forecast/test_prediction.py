"""Predictions of evidence whose answer is worked out by hand."""

import dataclasses
import math

import pytest

from conegrad_training.forecast.evidence import Evidence, evidence_of
from conegrad_training.forecast.prediction import Constants, predict
from conegrad_training.forecast.scores import Scores

# A probe with a fifth of the possible decline says: half of what it left will be reached.
CONSTANTS = Constants(
    half_decline=0.2,
    loss_of_training=0.0,
    error_floor=0.02,
    error_slope=0.5,
)
START = Scores(0.5, 1.0)
BOUNDS = {"a": 0.4, "b": 0.3, "a b": 0.5}


def evidence(decline, bounds, *, fusion=0.0, small=0.0, probed=0.0):
    """Of networks a, which is probed, and b, which is tried, and a stage that joins them.

    Perfect networks bring the end loss from 1 to 0.
    """
    of_trial = {"fusion": fusion, "calibration": fusion, "b": small}
    tried = {name: Scores(0.5 + gain, 1.0) for name, gain in of_trial.items()}
    along = {"a": tried["fusion"], "all": tried["b"]}
    after = {name: Scores(s.f1_colour + probed, 1.0 - decline) for name, s in along.items()}
    perfect = {frozenset(name.split()): Scores(0.5 + bound, 0.0) for name, bound in bounds.items()}
    return Evidence(("a", "b"), ("join",), START, tried, along, after, perfect, {})


def test_an_option_that_was_tried_gains_what_its_trial_gained():
    found = predict(evidence(0.2, BOUNDS, fusion=0.05, small=0.2), CONSTANTS)
    assert found["b"].gain == pytest.approx(0.2)
    assert found["fusion"].gain == found["calibration"].gain == pytest.approx(0.05)
    assert (found["b"].low, found["b"].high) == (pytest.approx(0.08), pytest.approx(0.32))
    assert found["b"].bound == pytest.approx(0.3)
    assert math.isnan(found["fusion"].bound)


def test_half_of_what_the_probe_left_is_reached_after_such_a_decline():
    found = predict(evidence(0.2, BOUNDS, probed=0.1), CONSTANTS)
    assert found["a"].gain == pytest.approx(0.1 + 0.5 * (0.4 - 0.1))
    assert found["a"].bound == pytest.approx(0.4)


def test_a_loss_that_rises_reaches_no_more_than_the_probe():
    assert predict(evidence(-0.3, BOUNDS, probed=0.06), CONSTANTS)["a"].gain == pytest.approx(0.06)


def test_a_probe_beyond_its_bound_counts_as_it_is():
    assert predict(evidence(0.2, BOUNDS, probed=0.45), CONSTANTS)["a"].gain == pytest.approx(0.45)


def test_networks_that_were_tried_learn_along_as_far_as_they_came():
    found = predict(evidence(0.2, BOUNDS, small=0.15, probed=0.1), CONSTANTS)  # half of 0.3
    perfect = 0.5 * 0.4 + 0.5 * 0.5
    assert found["all"].gain == pytest.approx(0.25 + 0.5 * (perfect - 0.25))


def test_training_a_costly_network_costs():
    constants = dataclasses.replace(CONSTANTS, loss_of_training=0.01)
    found = predict(evidence(0.0, BOUNDS, small=0.2), constants)
    assert found["a"].gain == pytest.approx(-0.01)
    assert found["b"].gain == pytest.approx(0.2)


def test_nothing_to_gain_is_no_reason_to_fail():
    given = dataclasses.replace(
        evidence(0.2, BOUNDS), perfect={frozenset(name.split()): START for name in BOUNDS}
    )
    assert predict(given, CONSTANTS)["a"].gain == pytest.approx(0.0)


def test_nobody_gains_more_than_is_missing():
    found = predict(evidence(0.0, BOUNDS, fusion=2.0), CONSTANTS)
    assert found["fusion"].gain == pytest.approx(0.5)


def test_evidence_survives_as_plain_values():
    given = evidence(0.1, BOUNDS)
    assert evidence_of(given.to_dict()) == given
