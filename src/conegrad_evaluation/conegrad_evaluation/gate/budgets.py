"""Budgets of a team: what a new system may lose, what it has to gain, and how sure to be."""

from dataclasses import dataclass
from pathlib import Path

from conegrad_core.settings import Config, setting
from conegrad_core.settings.mapping import Location, read_config
from conegrad_core.settings.yaml_file import read_yaml_file


@dataclass(frozen=True)
class Budgets(Config):
    """What NEW has to reach against OLD; differences are NEW minus OLD."""

    min_gain: float = setting(
        0.0, "NEW is promoted when its gain of f1_colour is surely above", low=-1.0, high=1.0
    )
    worthwhile_gain: float = setting(
        0.01, "NEW is held when its gain of f1_colour is surely below", low=-1.0, high=1.0
    )
    max_loss_scenario: float = setting(
        0.05, "Largest loss of f1_colour in a bag or a light", low=0.0, high=1.0
    )
    max_loss_range: float = setting(
        0.05, "Largest loss of recall in a range bin", low=0.0, high=1.0
    )
    max_loss_class: float = setting(
        0.05, "Largest loss of recall with the right colour in a class", low=0.0, high=1.0
    )
    max_loss_disturbed: float = setting(
        0.1, "Largest loss of f1_colour under a disturbance", low=0.0, high=1.0
    )
    max_latency_ratio: float = setting(
        1.25, "Largest ratio of the times of a frame, NEW to OLD", low=0.01
    )
    max_latency: float | None = setting(
        None, "Largest 95 % quantile of the times of a frame of NEW [s]; none: not asked", low=1e-6
    )
    min_share: float = setting(
        0.05, "A part with a smaller share of the true cones cannot promote", low=0.0, high=1.0
    )
    confidence: float = setting(0.95, "Of the intervals", low=0.5, high=0.9999)
    looks: int = setting(
        1, "How often the gate is asked about one NEW, with more frames each time", low=1
    )
    block_seconds: float = setting(
        4.0, "Frames drawn together; twice as long as errors last [s]", low=0.001
    )
    report_only: tuple[str, ...] = setting(
        (), "Parts that are reported and do not decide, such as 'range 10-15 m'", metavar="PART"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.worthwhile_gain > self.min_gain:
            expected = f"expected more than min_gain, {self.min_gain}"
            raise self.refusal("worthwhile_gain", f"is {self.worthwhile_gain}, {expected}")


def read_budgets(path: Path) -> Budgets:
    """Budgets from a YAML file; what it does not name keeps its default.

    Raises:
        FileNotFoundError: if there is no file.
        ValueError: naming file, line, budget, value and what was expected.
    """
    document = read_yaml_file(path)
    content = {} if document.content is None else document.content
    return read_config(Budgets, content, Location(document.place))
