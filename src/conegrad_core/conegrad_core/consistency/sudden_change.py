"""A number that falls suddenly below what it was in the seconds before."""

from collections import deque
from statistics import median

BEFORE = 30  # frames that say what is usual
LATEST = 3  # frames whose median is compared with it


class SuddenChange:
    """The latest values against those before.

    Args:
        least: usual value below which nothing is told.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._values: deque[float] = deque(maxlen=BEFORE)
        self._latest: deque[float] = deque(maxlen=LATEST)

    @property
    def usual(self) -> float:
        """Median of the seconds before; 0 while it is not known."""
        return median(self._values) if len(self._values) >= BEFORE // 2 else 0.0

    @property
    def left(self) -> float:
        """Share of the usual value that is left; 1 where it is not known or small."""
        usual = self.usual
        if usual < self._least or len(self._latest) < LATEST:
            return 1.0
        return median(self._latest) / usual

    def observe(self, value: float) -> None:
        """Take the next value."""
        if len(self._latest) == LATEST:
            self._values.append(self._latest[0])
        self._latest.append(value)
