"""Settings to vary are given as words."""

import optuna
import pytest

from conegrad_training.engine.training_run import TrainingConfig
from conegrad_training.sweep.search_space import applied, as_sections, read_space

WORDS = [
    "pattern.pattern=individual|simultaneous",
    "optimizer.rates.detector=1e-5..1e-3:log",
    "loss.recall_weight=0.5..2",
    "run.batch=4..16",
    "run.adapt_statistics=true|false",
]


def test_values_of_a_trial_replace_the_settings():
    space = read_space(WORDS)
    fixed = {
        "pattern.pattern": "individual",
        "optimizer.rates.detector": 1e-4,
        "loss.recall_weight": 1.5,
        "run.batch": 8,
        "run.adapt_statistics": "false",
    }
    trial = optuna.trial.FixedTrial(fixed)
    values = {dimension.name: dimension.suggest(trial) for dimension in space}
    config = applied(TrainingConfig(), space, values)
    assert config.pattern.pattern == "individual"
    assert config.optimizer.numbers("rates") == {"detector": 1e-4}
    assert config.loss.recall_weight == 1.5
    assert config.run.batch == 8
    assert config.run.adapt_statistics is False
    assert as_sections(TrainingConfig(), space, values)["optimizer"] == {
        "rates": ["detector=0.0001"]
    }


def test_bounds_and_kinds_are_those_of_the_word():
    space = {dimension.name: dimension for dimension in read_space(WORDS)}
    assert space["run.batch"].is_whole
    assert space["optimizer.rates.detector"].is_log
    assert (space["loss.recall_weight"].low, space["loss.recall_weight"].high) == (0.5, 2.0)


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("pattern=individual", "expected GROUP.NAME=A"),
        ("patterns.pattern=a|b", "did you mean pattern"),
        ("run.batsh=1..2", "did you mean batch"),
        ("run.batch=4..x", "run.batch is 'x', expected a whole number"),
        ("run.batch=4..4", "bounds are 4 and 4, expected LOW below HIGH"),
        ("loss.recall_weight=0..1:log", "both above 0"),
        ("pattern.pattern=individual", "expected two different ones at least"),
        ("run.adapt_statistics=yes|no", "expected true or false"),
        ("run.batch.detector=1..2", "has no entries of stages"),
    ],
)
def test_refuses_other_words(word, fault):
    with pytest.raises(ValueError, match=fault):
        read_space([word])


def test_something_has_to_vary():
    with pytest.raises(ValueError, match="nothing is varied"):
        read_space([])
