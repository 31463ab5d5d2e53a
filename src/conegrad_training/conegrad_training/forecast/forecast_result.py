"""What a forecast says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class OptionForecast:
    """The forecast of one training.

    Attributes:
        option: its name.
        command: options of ``conegrad train`` that make it.
        gain: predicted gain of ``f1_colour`` on the held-out frames.
        low: lower end of the interval that holds the realised gain in nine of ten cases.
        high: upper end.
        bound: gain if the networks were perfect that this training changes; NaN for an option
            that was tried.
    """

    option: str
    command: str
    gain: float
    low: float
    high: float
    bound: float


@dataclass(frozen=True)
class Forecast:
    """Forecasts of all options of one system on some data.

    Attributes:
        system: name of its pipeline.
        fingerprint: hash of the weights that it was made from.
        data: names of the recordings to learn from.
        steps: budget of each training.
        batch: samples of a step.
        seed: of the trainings.
        before: ``f1_colour`` on the held-out frames that were looked at.
        frames: number of these.
        options: the forecasts, the largest gain first.
        shares: share of each stage in the gradient of the end loss, by its name.
        seconds: that the forecast took [s].
        training_seconds: that making all the trainings would take, from the time that steps and
            evaluations took in the probes [s].
    """

    system: str
    fingerprint: str
    data: Sequence[str]
    steps: int
    batch: int
    seed: int
    before: float
    frames: int
    options: Sequence[OptionForecast]
    shares: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    training_seconds: float = 0.0

    @property
    def best(self) -> OptionForecast:
        """The option with the largest predicted gain."""
        return self.options[0]

    @property
    def share_of_cost(self) -> float:
        """Cost of the forecast against that of the trainings that it replaces."""
        return self.seconds / self.training_seconds if self.training_seconds else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def forecast_of(content: Mapping[str, Any]) -> Forecast:
    """The forecast of the plain values of :meth:`Forecast.to_dict`."""
    options = tuple(OptionForecast(**option) for option in content["options"])
    return Forecast(**{**content, "options": options})
