"""What trainings gained, of the runs that the store holds."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from conegrad_training.forecast.forecast_store import _Training


def training(*scores: tuple[int, float]) -> _Training:
    """Training with the score at some steps."""
    history = [SimpleNamespace(step=step, value=value) for step, value in scores]
    run: Any = SimpleNamespace(
        info=SimpleNamespace(run_id="r", start_time=20),
        data=SimpleNamespace(params={"run.steps": "4"}),
    )
    return _Training(run, SimpleNamespace(get_metric_history=lambda run, name: history))


def test_the_gain_is_from_the_first_step_of_the_score_to_the_last():
    assert training((0, 0.5), (4, 0.75)).gain == pytest.approx(0.25)
    assert math.isnan(training((4, 0.75)).gain)  # a record, not a training


def test_a_training_belongs_to_a_forecast_by_its_settings_and_its_time():
    found = training((0, 0.5), (4, 0.75))
    assert found.is_of({"run.steps": "4"}, made_ms=10)
    assert not found.is_of({"run.steps": "5"}, made_ms=10)
    assert not found.is_of({"run.steps": "4"}, made_ms=30)
