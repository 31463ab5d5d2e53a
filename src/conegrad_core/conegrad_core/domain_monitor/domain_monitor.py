"""Watches the frames of one sensor, one after the other."""

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from conegrad_core.domain_monitor.domain_model import WINDOW, DomainModel, load_domain
from conegrad_core.domain_monitor.image_statistics import IMAGE_STATISTICS, image_statistics
from conegrad_core.domain_monitor.scan_statistics import SCAN_STATISTICS, scan_statistics

Floats = npt.NDArray[np.float64]

MONITORS = Path(__file__).parent / "monitors"  # that ship
# By kind of port: names of the statistics, and what computes them.
STATISTICS: Mapping[str, tuple[tuple[str, ...], Callable[[Any], Floats]]] = {
    "Image": (IMAGE_STATISTICS, image_statistics),
    "Scan": (SCAN_STATISTICS, scan_statistics),
}


class DomainState(NamedTuple):
    """What is known of the latest frames.

    Attributes:
        distance: median over the latest frames.
        threshold: above it they count as unlike those of the training.
        unusual: statistics that are farthest off, by name.
        is_full: enough frames were seen.
    """

    distance: float
    threshold: float
    unusual: tuple[str, ...]
    is_full: bool

    @property
    def is_unlike(self) -> bool:
        """Whether the frames are unlike those of the training."""
        return self.is_full and self.distance > self.threshold


class DomainMonitor:
    """Distance of the frames of a sensor from those of the training.

    Args:
        kind: of the port, one of :data:`STATISTICS`.
        model: fitted to statistics of this kind.

    Raises:
        ValueError: if the model was fitted to other statistics.
    """

    def __init__(self, kind: str, model: DomainModel) -> None:
        names, self._statistics = STATISTICS[kind]
        if model.names != names:
            raise ValueError(
                f"the model of {kind} has the statistics {', '.join(model.names)}, expected "
                f"{', '.join(names)}: fit it again"
            )
        self._model = model
        self._distances: deque[float] = deque(maxlen=WINDOW)
        self._latest: Floats = model.centre

    def observe(self, value: Any) -> DomainState:
        """Take the next frame."""
        self._latest = self._statistics(value)
        self._distances.append(float(self._model.distances(self._latest[None])[0]))
        return self.state

    @property
    def state(self) -> DomainState:
        """As of the latest frames."""
        distances = self._distances
        return DomainState(
            float(np.median(distances)) if distances else 0.0,
            self._model.threshold,
            tuple(self._model.unusual(self._latest)),
            len(distances) == WINDOW,
        )


def monitor_file(given: str) -> Path:
    """File of a monitor that ships, by its name such as ``clear``, or of any by its path."""
    shipped = MONITORS / f"{given}.safetensors"
    is_name = given.isidentifier() and shipped.is_file()
    return shipped if is_name else Path(given).expanduser()


def load_monitor(path: Path, kind: str) -> DomainMonitor | None:
    """Monitor of a sensor; None where the file has no model of its kind.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind or for other statistics.
    """
    model = load_domain(path).get(kind)
    return None if model is None else DomainMonitor(kind, model)
