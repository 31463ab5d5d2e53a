"""Keeps forecasts in the tracking store, and what was realised of them."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from conegrad_training.engine.training_run import TrainingConfig, plain_settings
from conegrad_training.forecast.forecast_result import Forecast, forecast_of
from conegrad_training.forecast.judgement import Outcome
from conegrad_training.forecast.options import Option
from conegrad_training.tracking.model_card import git_revision
from conegrad_training.tracking.tracking import TrackingConfig, experiment_id, make_client

KIND, FORECAST = "conegrad.kind", "forecast"  # tag of the runs that are forecasts
FILE = "forecast.json"
REALISED, SCORE = "realised", "f1_colour"
MATCHED = (  # settings of a training that decide whether it is the one that was forecast
    "run.steps", "run.batch", "run.frames", "run.adapt_statistics", "run.final_rate",
    "system.pipeline", "pattern.pattern", "pattern.stages", "pattern.learn_fusion",
    "pattern.learn_calibration", "data.names",
)  # fmt: skip


class KeptForecast(NamedTuple):
    """A forecast of the store.

    Attributes:
        run: its id in the store.
        made_ms: when it was made, since 1970 [ms].
        forecast: what it says.
        realised: gain of each option that was trained, mean over its trainings.
        settings: settings of the training of each option that decide which one it is.
    """

    run: str
    made_ms: int
    forecast: Forecast
    realised: Mapping[str, float]
    settings: Mapping[str, Mapping[str, str]]

    def outcomes(self) -> list[Outcome]:
        """Options of it that were trained."""
        return [
            Outcome(self.run, o.option, o.gain, o.low, o.high, self.realised[o.option])
            for o in self.forecast.options
            if o.option in self.realised
        ]


class ForecastStore:
    """Forecasts in an experiment of MLflow: a run each, beside the runs of trainings."""

    def __init__(self, config: TrackingConfig) -> None:
        """Connect.

        Args:
            config: store and experiment.
        """
        self._client: Any = make_client(config.store)
        self._experiment = experiment_id(self._client, config.experiment, config.store)

    def keep(self, forecast: Forecast, config: TrainingConfig, options: Sequence[Option]) -> str:
        """Keep a forecast.

        Args:
            forecast: what was predicted.
            config: settings of the trainings.
            options: that were forecast.

        Returns:
            The id of its run.
        """
        from mlflow.entities import Metric

        name = f"forecast of {forecast.system}"
        tags = {
            "mlflow.runName": name,
            KIND: FORECAST,
            "fingerprint": forecast.fingerprint,
            "git_revision": git_revision(),
        }
        run = str(self._client.create_run(self._experiment, tags=tags).info.run_id)
        values = {"f1_colour_before": forecast.before, "seconds": forecast.seconds}
        for option in forecast.options:
            values |= {
                f"predicted.{option.option}": option.gain,
                f"low.{option.option}": option.low,
                f"high.{option.option}": option.high,
            }
        metrics = [Metric(key, value, 0, 0) for key, value in values.items()]
        self._client.log_batch(run, metrics=metrics)
        settings = {o.name: matched_settings(config, o, forecast.data) for o in options}
        content = {"forecast": forecast.to_dict(), "settings": settings}
        self._client.log_dict(run, content, FILE)
        self._client.set_terminated(run)
        return run

    def add_realised(self, run: str, option: str, gain: float) -> None:
        """Note what a training gained that was forecast.

        Args:
            run: of the forecast.
            option: that was trained.
            gain: of ``f1_colour`` on the held-out frames.
        """
        history = self._client.get_metric_history(run, f"{REALISED}.{option}")
        self._client.log_metric(run, f"{REALISED}.{option}", gain, step=len(history))

    def forecasts(self) -> list[KeptForecast]:
        """All forecasts, the oldest first, with what was realised.

        Gains that were noted count, and else those of the trainings of the same experiment that
        began later with the same settings and data.
        """
        runs = self._runs(f"tags.`{KIND}` = '{FORECAST}'")
        trainings = [_Training(run, self._client) for run in self._runs(f"metrics.{SCORE} >= 0")]
        return [self._kept(run, trainings) for run in runs]

    def _kept(self, run: Any, trainings: "Sequence[_Training]") -> KeptForecast:
        path = self._client.download_artifacts(run.info.run_id, FILE)
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        forecast, settings = forecast_of(content["forecast"]), content["settings"]
        realised = {}
        for option in forecast.options:
            noted = self._client.get_metric_history(run.info.run_id, f"{REALISED}.{option.option}")
            gains = [metric.value for metric in noted] or [
                training.gain
                for training in trainings
                if training.is_of(settings[option.option], run.info.start_time)
            ]
            if gains:
                realised[option.option] = math.fsum(gains) / len(gains)
        return KeptForecast(run.info.run_id, run.info.start_time, forecast, realised, settings)

    def _runs(self, chosen: str) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment], chosen, order_by=["attributes.start_time"], page_token=token
            )
            yield from page
            token = page.token
            if not token:
                return


class _Training:
    """A training run of the store."""

    def __init__(self, run: Any, client: Any) -> None:
        self._run, self._client = run, client

    @cached_property
    def gain(self) -> float:
        """From the first step of the score to the last one; NaN where it was measured once."""
        history = self._client.get_metric_history(self._run.info.run_id, SCORE)
        scores = {metric.step: float(metric.value) for metric in history}
        return scores[max(scores)] - scores[min(scores)] if len(scores) > 1 else math.nan

    def is_of(self, settings: Mapping[str, str], made_ms: int) -> bool:
        """It is the training of these settings, and began after the forecast was made."""
        params, start_ms = self._run.data.params, self._run.info.start_time
        same = all(params.get(name) == value for name, value in settings.items())
        return same and start_ms >= made_ms and math.isfinite(self.gain)


def matched_settings(
    config: TrainingConfig, option: Option, names: Sequence[str]
) -> dict[str, str]:
    """Settings of the training of an option, as the tracking store has them.

    Args:
        config: of all options.
        option: replaces its pattern.
        names: of the recordings.
    """
    from dataclasses import replace

    sections = plain_settings(replace(config, pattern=option.pattern))
    sections["data"] = {"names": ", ".join(names)}
    every = {f"{s}.{name}": str(v) for s, values in sections.items() for name, v in values.items()}
    weights = {name: value for name, value in every.items() if name.endswith(".weights")}
    return {name: every[name] for name in MATCHED if name in every} | weights
