"""Predict what training each part of a system would gain, before it is trained.

Takes the bags and settings of 'conegrad train' and says for each network, all of them, the fusion
and the calibration how much f1_colour a training with that budget will gain on held-out frames, and
how sure that is. Forecasts are kept in the tracking store; --review compares all of them with the
trainings that were made since.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conegrad_bringup.text_table import text_table
from conegrad_bringup.training_samples import SimulatedSettings, read_samples
from conegrad_core.lidar.reduction import ReductionConfig
from conegrad_core.lidar.sweep import SweepConfig
from conegrad_core.losses import EndLossConfig
from conegrad_core.settings import setting
from conegrad_core.settings.command_settings import CommandSettings, EffectiveSettings, Group
from conegrad_core.whole_file import write_whole
from conegrad_data.errors import ReplayError
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_training import aliases
from conegrad_training.action.goal_settings import DataConfig
from conegrad_training.engine.optimizers import OptimizerConfig
from conegrad_training.engine.training_run import RunConfig, TrainingConfig
from conegrad_training.forecast.forecast import ForecastConfig, Forecaster
from conegrad_training.forecast.forecast_result import Forecast
from conegrad_training.forecast.forecast_store import ForecastStore, KeptForecast
from conegrad_training.forecast.judgement import judge
from conegrad_training.systems.system_config import SystemConfig
from conegrad_training.tracking.tracking import TrackingConfig


@dataclass(frozen=True)
class ForecastSettings(SimulatedSettings):
    """Settings of the command itself."""

    review: bool = setting(
        False,
        "Compare earlier forecasts with the trainings that were made since",
        aliases=("judge",),
    )
    seed_spread: float = setting(
        0.01, "Spread of f1_colour between seeds of a training, for --review", low=0.0, high=1.0
    )


DEFAULTS = TrainingConfig()
SETTINGS = CommandSettings(
    {
        "": ForecastSettings(),
        "forecast": ForecastConfig(),
        "data": Group(DataConfig(), leave_out=("output", "resume")),
        "run": DEFAULTS.run,
        "optimizer": DEFAULTS.optimizer,
        "system": DEFAULTS.system,
        "tracking": TrackingConfig(),
        "loss": Group(DEFAULTS.loss, words="--loss"),
        "reduction": Group(DEFAULTS.reduction, words="--reduction"),
        "sweep": Group(DEFAULTS.sweep, words="--sweep"),
        "evaluation": Group(DEFAULTS.evaluation, is_flat=False),
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bags", nargs="*", type=Path, metavar="BAG", help="drives to learn from")
    parser.add_argument("-o", "--output", type=Path, help="file to write (JSON) (default: none)")
    SETTINGS.add_to(parser)
    aliases.add_options(parser, SETTINGS)


def run(options: argparse.Namespace) -> None:
    """Print the forecast, or how good earlier ones were."""
    aliases.translate_options(options, SETTINGS)
    settings = SETTINGS.read(options)
    own, tracking = settings[ForecastSettings], settings[TrackingConfig]
    if own.review:
        print("\n".join(judged(ForecastStore(tracking).forecasts(), own.seed_spread)))
        return
    config = _training(settings)
    data = read_samples(options.bags, settings[DataConfig], own, config)
    forecaster = Forecaster(config, data, settings[ForecastConfig])
    forecast = forecaster.make()
    print("\n".join(described(forecast)))
    if options.output is not None:
        write_whole(options.output, (json.dumps(forecast.to_dict(), indent=2) + "\n").encode())
    if tracking.tracking:
        run_id = ForecastStore(tracking).keep(forecast, config, forecaster.options)
        print(f"kept as {run_id}; conegrad forecast --review compares it with later trainings")


def described(forecast: Forecast) -> list[str]:
    """A forecast as lines of text, what to do first."""
    best = forecast.best
    rows = [["training", "gain", "between", "at most", "conegrad train ..."]]
    rows += [
        [
            each.option,
            f"{each.gain:+.3f}",
            f"{each.low:+.3f} and {each.high:+.3f}",
            f"{each.bound:+.3f}" if math.isfinite(each.bound) else "tried",
            each.command,
        ]
        for each in forecast.options
    ]
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in forecast.shares.items())
    first = f"nothing to gain with {forecast.steps} steps of {forecast.batch} samples"
    if best.low > 0 or best.gain > 0.01:
        first = f"train {best.option}: {best.gain:+.3f} f1_colour, on {forecast.before:.3f}"
    return [
        first,
        *text_table(rows),
        f"gradient of the end loss: {shares}",
        f"{forecast.steps} steps of {forecast.batch} samples; {forecast.frames} held-out frames "
        f"were looked at in {forecast.seconds:.1f} s, "
        f"{100 * forecast.share_of_cost:.0f} % of the steps of these trainings",
    ]


def judged(kept: Sequence[KeptForecast], spread: float) -> list[str]:
    """How good forecasts were, as lines of text.

    Raises:
        ReplayError: if there is none.
    """
    if not kept:
        raise ReplayError("the store has no forecast, expected one of 'conegrad forecast BAG...'")
    rows = [["forecast", "training", "predicted", "between", "realised"]]
    for each in kept:
        for option in each.forecast.options:
            found = each.realised.get(option.option, math.nan)
            rows.append(
                [
                    each.run[:8],
                    option.option,
                    f"{option.gain:+.3f}",
                    f"{option.low:+.3f} and {option.high:+.3f}",
                    f"{found:+.3f}" if math.isfinite(found) else "not trained",
                ]
            )
    lines = text_table(rows)
    outcomes = [outcome for each in kept for outcome in each.outcomes()]
    if not outcomes:
        return [*lines, f"{len(kept)} forecasts, nothing was trained since"]
    total = judge(outcomes, spread)
    lines.append(
        f"{total.options} trainings: mean error {total.mean_error:.3f}, rank correlation "
        f"{total.spearman:.2f}, inside the interval {100 * total.covered:.0f} %"
    )
    if total.cases:
        lines.append(
            f"best choice in {total.best_choices} of {total.cases} forecasts with several trainings"
        )
    return lines


def _training(settings: EffectiveSettings) -> TrainingConfig:
    """Settings of the trainings; each option has a pattern of its own."""
    return TrainingConfig(
        run=settings[RunConfig],
        system=settings[SystemConfig],
        optimizer=settings[OptimizerConfig],
        loss=settings[EndLossConfig],
        reduction=settings[ReductionConfig],
        sweep=settings[SweepConfig],
        evaluation=settings[EvaluationConfig],
    )
