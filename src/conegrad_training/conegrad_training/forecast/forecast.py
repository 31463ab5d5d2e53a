"""Makes a forecast: trials, probe, oracle bounds, prediction."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from conegrad_core.losses import EndLoss
from conegrad_core.settings import Config, setting
from conegrad_evaluation.samples.sample import Sample
from conegrad_training.comparison.baselines import fingerprint_of
from conegrad_training.data.sample_stream import evenly
from conegrad_training.engine.training_run import Data, TrainingConfig
from conegrad_training.forecast.bounds import Oracle
from conegrad_training.forecast.cost import training_seconds
from conegrad_training.forecast.evidence import Evidence, oracle_scores
from conegrad_training.forecast.forecast_result import Forecast, OptionForecast
from conegrad_training.forecast.options import Option, options_of
from conegrad_training.forecast.prediction import FITTED, Constants, predict
from conegrad_training.forecast.scores import Scores, scores_of
from conegrad_training.forecast.trials.mixed_weights import MixedWeights
from conegrad_training.forecast.trials.probe import PROBED, probe
from conegrad_training.forecast.trials.trials import affordable, run_trials
from conegrad_training.patterns.patterns import PatternConfig
from conegrad_training.systems.system import TrainableSystem, load_system


@dataclass(frozen=True)
class ForecastConfig(Config):
    """Settings of a forecast."""

    probe_share: float = setting(
        0.1, "Steps of the probe, as a share of the budget", low=0.01, high=0.5
    )
    probe_frames: int = setting(12, "Held-out samples that are evaluated", low=2)
    trial_share: float = setting(
        0.5,
        "Steps of a trial as a share of those of the training, and samples of each where no "
        "network learns",
        low=0.01,
        high=1.0,
    )
    trial_weights: float = setting(
        0.1,
        "Options are tried if their networks have at most this share of the weights of all stages",
        low=0.0,
        high=1.0,
    )

    def probe_steps(self, steps: int) -> int:
        """Steps of the probe for a budget."""
        return max(2, round(self.probe_share * steps))


class Look(NamedTuple):
    """What a forecast has looked at.

    Attributes:
        evidence: scores.
        step_seconds: time of a step in which all stages learn [s].
        stage_seconds: forward time of each stage for a sample, by its name [s].
    """

    evidence: Evidence
    step_seconds: float
    stage_seconds: Mapping[str, float]


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
        """Try, probe, ask the oracle, predict.

        Raises:
            TrainingError: if a step of a trial or of the probe was refused.
        """
        started = time.perf_counter()
        look = self.look()
        evidence = look.evidence
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
                    option.learning(self.system), run, look.step_seconds, look.stage_seconds
                )
                for option in self.options
            ),
        )

    def look(self) -> Look:
        """What trials, probe and oracle find; nothing is predicted yet.

        Raises:
            TrainingError: if a step of a trial or of the probe was refused.
        """
        config, settings, system = self._config, self._settings, self.system
        run, held_out = config.run, self._held_out()
        system.eval()
        learned = evenly(self._data.training, run.frames)
        mixed = MixedWeights(system, held_out)
        mixed.cones({})
        seconds = {name: value / len(held_out) for name, value in mixed.seconds.items()}
        tried = affordable(system, self.options, settings.trial_weights)
        run_trials(mixed, system, tried, learned, config, settings.trial_share)
        everything = Option("everything", PatternConfig(pattern="simultaneous"))
        found = probe(mixed, system, everything, learned, config, settings.probe_steps(run.steps))
        scores = self._scores(mixed, held_out, tried)
        written = mixed.written(system.end_networks)
        mixed.load(_along(system, frozenset(system.end_joins), tried))
        oracle = Oracle(system, held_out, EndLoss(config.loss), config.evaluation, written)
        perfect = oracle_scores(system, oracle)
        mixed.load({})
        evidence = Evidence(
            networks=system.end_networks,
            joins=system.end_joins,
            **scores,
            perfect=perfect,
            shares=found.shares,
        )
        return Look(evidence, found.step_seconds, seconds)

    def _scores(
        self, mixed: MixedWeights, held_out: Sequence[Sample], tried: Sequence[Option]
    ) -> dict[str, Any]:
        """Scores of the start and of each option, as the evidence has them."""
        system, criterion = self.system, EndLoss(self._config.loss)
        truths = [system.truth(sample) for sample in held_out]

        def scored(versions: Mapping[str, str]) -> Scores:
            return scores_of(mixed.cones(versions), truths, criterion, self._config.evaluation)

        found: dict[str, Any] = {"before": scored({}), "tried": {}, "along": {}, "probed": {}}
        for option in self.options:
            learning = option.learning(system)
            if option in tried:
                found["tried"][option.name] = scored(dict.fromkeys(learning, option.name))
                continue
            along = _along(system, learning, tried)
            probed = {name: PROBED for name in learning if name not in along}
            found["along"][option.name] = scored(along)
            found["probed"][option.name] = scored({**along, **probed})
        mixed.load({})
        return found

    def _held_out(self) -> list[Sample]:
        chosen = evenly(self._data.evaluation, self._settings.probe_frames)
        return [chosen[place] for place in range(len(chosen))]  # type: ignore[arg-type]


def _along(
    system: TrainableSystem, learning: frozenset[str], tried: Sequence[Option]
) -> dict[str, str]:
    """Versions of the trials of the stages of an option that learn along with what is probed.

    What joins the networks is as the trial left it in which most of them learned.
    """
    found: dict[str, str] = {}
    inside = [
        o for o in tried if o.learning(system) <= learning and not o.pattern.learn_calibration
    ]
    for option in sorted(inside, key=lambda each: len(each.learning(system))):
        found |= dict.fromkeys(option.learning(system), option.name)
    return found
