"""A forecast of a tiny system, its evidence, and the store that keeps it."""

import dataclasses

import pytest
import torch

from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_training.engine.training_run import Data, RunConfig, TrainingConfig
from conegrad_training.forecast.forecast import ForecastConfig, Forecaster
from conegrad_training.forecast.forecast_store import ForecastStore, matched_settings
from conegrad_training.forecast.options import options_of
from conegrad_training.forecast.trials.kept_outputs import KeptOutputs
from conegrad_training.forecast.trials.mixed_weights import MixedWeights
from conegrad_training.forecast.trials.trials import affordable, run_trials
from conegrad_training.tracking.tracking import TrackingConfig


@pytest.fixture(name="config")
def config_fixture(system_config):
    run = RunConfig(steps=20, batch=2)
    evaluation = EvaluationConfig(max_range=12.0)
    return TrainingConfig(run=run, system=system_config, evaluation=evaluation)


def test_the_options_are_the_networks_all_of_them_and_what_joins_them(system):
    options = {option.name: option for option in options_of(system)}
    assert list(options) == [*system.end_networks, "all", "fusion", "calibration"]
    network = system.end_networks[0]
    assert options[network].learning(system) == {network, *system.end_joins}
    assert options[network].command == f"--pattern partial --stages {network}"
    assert options["calibration"].command == "--pattern fusion_only --learn-calibration"


def test_stages_that_stay_run_once_per_sample(system, labelled):
    kept = KeptOutputs(system.pipeline, system.end_joins)
    first = kept(labelled[:2])
    ran = []
    for name in system.end_networks:
        system.stages[name].register_forward_hook(lambda *_, name=name: ran.append(name))
    again = kept(labelled[:2])
    assert not ran
    for one, other, plain in zip(first, again, system(labelled[:2]), strict=True):
        torch.testing.assert_close(one.positions, other.positions)
        torch.testing.assert_close(one.positions, plain.positions)
    assert ran


def test_a_step_visits_only_the_stages_that_go_forward_in_it(system, labelled):
    kept = KeptOutputs(system.pipeline, system.end_joins)
    assert tuple(kept.stages) == system.end_joins
    joins = [weight for name in system.end_joins for weight in system.stages[name].parameters()]
    assert [id(weight) for weight in kept.parameters()] == [id(weight) for weight in joins]
    assert len(list(kept.buffers())) < len(list(system.buffers()))


def test_a_trial_of_the_joins_is_their_training_and_leaves_the_networks(config, system, labelled):
    options = {option.name: option for option in options_of(system)}
    mixed = MixedWeights(system, labelled[:2])
    before = mixed.cones({})
    run_trials(mixed, system, [options["fusion"]], labelled, config, 0.2)
    tried = mixed.cones(dict.fromkeys(system.end_joins, "fusion"))
    assert any(
        not torch.equal(one.existence_logits, other.existence_logits)
        for one, other in zip(before, tried, strict=True)
    )
    mixed.load({})
    for one, other in zip(before, system(labelled[:2]), strict=True):
        torch.testing.assert_close(one.existence_logits, other.existence_logits)


def test_options_without_a_large_network_are_affordable(system):
    sizes = {
        name: sum(weight.numel() for weight in system.stages[name].parameters())
        for name in system.end_networks
    }
    large = max(sizes, key=sizes.get)
    share = (sum(sizes.values()) - sizes[large]) / sum(sizes.values())
    names = {option.name for option in affordable(system, options_of(system), share)}
    assert names == {*sizes, "fusion", "calibration"} - {large}


def test_versions_of_stages_are_mixed_and_networks_run_once_for_each(system, labelled):
    network = system.end_networks[-1]
    mixed = MixedWeights(system, labelled[:2])
    before = mixed.cones({})
    with torch.no_grad():
        for weight in system.stages[network].parameters():
            weight.mul_(0.5)
    mixed.add("half")
    direct = system(labelled[:2])
    for one, other in zip(mixed.cones({network: "half"}), direct, strict=True):
        torch.testing.assert_close(one.existence_logits, other.existence_logits)
    mixed.load({})
    for one, other in zip(before, system(labelled[:2]), strict=True):
        torch.testing.assert_close(one.existence_logits, other.existence_logits)


def test_a_forecast_is_kept_and_judged_and_leaves_the_weights(config, labelled, store):
    data = Data(labelled, labelled, ("drive",))
    forecaster = Forecaster(config, data, ForecastConfig(probe_frames=2))
    weights = {key: v.clone() for key, v in forecaster.system.state_dict().items()}
    forecast = forecaster.make()
    for key, value in forecaster.system.state_dict().items():
        assert torch.equal(value, weights[key]), key
    assert len(forecast.options) == len(forecaster.options)
    gains = [option.gain for option in forecast.options]
    assert gains == sorted(gains, reverse=True)
    assert sum(forecast.shares.values()) == pytest.approx(1.0)
    assert forecast.training_seconds > 0

    forecasts = ForecastStore(TrackingConfig(tracking_uri=store, experiment="forecasts"))
    run = forecasts.keep(forecast, config, forecaster.options)
    best = forecast.best.option
    forecasts.add_realised(run, best, 0.1)
    forecasts.add_realised(run, best, 0.3)
    (kept,) = forecasts.forecasts()
    assert repr(kept.forecast) == repr(dataclasses.replace(forecast, data=list(forecast.data)))
    assert kept.realised == {best: pytest.approx(0.2)}
    assert [each.option for each in kept.outcomes()] == [best]


def test_a_training_is_known_by_its_settings_and_not_by_its_seed(config, system):
    option = options_of(system)[0]
    found = matched_settings(config, option, ("a", "b"))
    assert found["pattern.stages"] == f"('{option.name}',)"
    assert found["data.names"] == "a, b"
    other = dataclasses.replace(config, run=dataclasses.replace(config.run, seed=9))
    assert matched_settings(other, option, ("a", "b")) == found
