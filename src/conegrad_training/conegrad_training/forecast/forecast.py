"""Makes a forecast: probe, oracle bounds, prediction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from conegrad_core.losses import EndLoss
from conegrad_core.settings import Config, setting
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.comparison.baselines import fingerprint_of
from conegrad_training.data.sample_stream import evenly
from conegrad_training.engine.training_run import Data, TrainingConfig
from conegrad_training.forecast.bounds import Oracle
from conegrad_training.forecast.cost import training_seconds
from conegrad_training.forecast.evidence import Evidence, gather
from conegrad_training.forecast.forecast_result import Forecast, OptionForecast
from conegrad_training.forecast.options import Option, options_of
from conegrad_training.forecast.prediction import FITTED, Constants, predict
from conegrad_training.forecast.probe import ProbeResult, probe
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import TrainableSystem, load_system


@dataclass(frozen=True)
class ForecastConfig(Config):
    """Settings of a forecast."""

    probe_share: float = setting(
        0.1, "Steps of the probe, as a share of the budget", low=0.01, high=0.5
    )
    probe_frames: int = setting(12, "Held-out samples that are looked at", low=2)

    def probe_steps(self, steps: int) -> int:
        """Steps of the probe for a budget."""
        return max(2, round(self.probe_share * steps))


class Forecaster:
    """Forecasts the options of a system on some data.

    Attributes:
        system: of the start; keeps its weights.
        options: that are forecast.
    """

    def __init__(
        self,
        config: TrainingConfig,
        data: Data,
        settings: ForecastConfig | None = None,
        system: TrainableSystem | None = None,
    ) -> None:
        """Load the system.

        Args:
            config: of the trainings; its pattern does not count.
            data: samples.
            settings: of the forecast.
            system: of the start; None: that of ``config``.

        Raises:
            FileNotFoundError: if a weights file does not exist.
            PipelineError: if the pipeline cannot be built.
            ValueError: if nothing before the cones learns.
        """
        self._config, self._data = config, data
        self._settings = settings or ForecastConfig()
        self.system = system or load_system(config.system)
        self.options: Sequence[Option] = options_of(self.system)
        if not self.options:
            source = self.system.pipeline.specification.source
            raise ValueError(f"{source} has no network before its cones, expected one to train")

    def make(self, constants: Constants = FITTED) -> Forecast:
        """Probe, ask the oracle, predict.

        Raises:
            TrainingError: if a step of the probe was refused.
        """
        started = time.perf_counter()
        found, evidence = self.look()
        seconds = time.perf_counter() - started
        run, predictions = self._config.run, predict(evidence, constants)
        forecasts = [
            OptionForecast(option.name, option.command, *predictions[option.name])
            for option in self.options
        ]
        return Forecast(
            system=self.system.pipeline.specification.source,
            fingerprint=fingerprint_of(self.system),
            data=self._data.names,
            steps=run.steps,
            batch=run.batch,
            seed=run.seed,
            before=evidence.before.f1_colour,
            frames=len(self._held_out()),
            options=tuple(sorted(forecasts, key=lambda each: -each.gain)),
            shares=evidence.shares,
            seconds=seconds,
            training_seconds=sum(
                training_seconds(
                    option.learning(self.system), run, found.step_seconds, found.stage_seconds
                )
                for option in self.options
            ),
        )

    def look(self) -> tuple[ProbeResult, Evidence]:
        """What the probe and the oracle find; nothing is predicted yet.

        Raises:
            TrainingError: if a step of the probe was refused.
        """
        config, held_out = self._config, self._held_out()
        steps = self._settings.probe_steps(config.run.steps)
        training = evenly(self._data.training, config.run.frames)
        everything = Option("everything", PatternConfig(pattern="simultaneous"))
        found = probe(self.system, everything, self.options, training, held_out, config, steps)
        oracle = Oracle(self.system, held_out, EndLoss(config.loss), config.evaluation)
        return found, gather(self.system, found, oracle)

    def _held_out(self) -> list[Sample]:
        chosen = evenly(self._data.evaluation, self._settings.probe_frames)
        return [chosen[place] for place in range(len(chosen))]  # type: ignore[arg-type]
