"""Which frames of bags are replayed through systems, and how their cones are compared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conegrad_core.settings import Config, setting
from conegrad_core.vehicle import load_vehicle
from conegrad_evaluation.bag_evaluation import MATCH_DISTANCE, MAX_RANGE
from conegrad_evaluation.metrics.matching import EvaluationConfig
from conegrad_evaluation.samples.bag_replay import BagReplay
from conegrad_evaluation.samples.sample import Sample

Shown = Callable[[Iterable[Sample], int, str], Iterable[Sample]]


def check_names(bags: Sequence[Path]) -> None:
    """Refuse bags of one name: figures of frames are told apart by it.

    Raises:
        ValueError: naming all.
    """
    names = [bag.name for bag in bags]
    if len(set(names)) < len(names):
        raise ValueError(f"bags are {', '.join(names)}, expected a name for each")


@dataclass(frozen=True)
class ReplaySettings(Config):
    """How bags are replayed."""

    track: str = setting(
        "", "Map of the cones (CSV with x, y, colour); empty: the truth in the bag"
    )
    vehicle: str = setting(
        "",
        "Vehicle: name of a preset, or path of a YAML file; its calibration replaces that of the "
        "bag; empty: that of the bag",
    )
    every: int = setting(1, "Replay every Nth frame", low=1)
    max_range: float | None = setting(
        None, "Truth beyond this range is ignored [m] (default: of the vehicle)", low=0.1
    )
    match_distance: float | None = setting(
        None,
        "Largest distance of a cone to the truth that it matches [m] (default: of the vehicle)",
        low=1e-6,
    )

    @property
    def evaluation(self) -> EvaluationConfig:
        """Settings of the metrics: those given, else of the vehicle, else those of ``evaluate``."""
        bounds = load_vehicle(self.vehicle).evaluation if self.vehicle else None
        return EvaluationConfig(
            match_distance=self.match_distance
            or (bounds.match_distance if bounds else MATCH_DISTANCE),
            max_range=self.max_range or (bounds.max_range if bounds else MAX_RANGE),
        )

    @contextmanager
    def replayed(self, bag: Path) -> Iterator[tuple[BagReplay, range]]:
        """The samples of a bag, and the positions of those that are replayed.

        Raises:
            ReplayError: if the bag lacks images, scans, the calibration or truth.
            BagError: if it cannot be read.
        """
        samples = BagReplay(
            bag,
            track=self.track or None,
            vehicle=load_vehicle(self.vehicle) if self.vehicle else None,
        )
        try:
            yield samples, range(0, len(samples), self.every)
        finally:
            samples.close()
