"""Tries again after waits that grow, and gives up."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class BackOffConfig(Config):
    """How often something is tried again, and after what wait."""

    first_wait: float = setting(0.5, "Wait before the first try [s]; each next doubles", low=0.0)
    longest_wait: float = setting(30.0, "No wait is longer [s]", low=0.0)
    tries: int = setting(6, "Tries until giving up", low=1)
    settled: float = setting(60.0, "Tries count anew after this long without trouble [s]", low=0.0)


class BackOff:
    """Counts the tries of one thing.

    Attributes:
        count: tries since the thing last went well for a while.
    """

    def __init__(self, config: BackOffConfig) -> None:
        self._config = config
        self.count = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether all tries are used up."""
        return self.count >= self._config.tries

    @property
    def wait(self) -> float:
        """The wait before the next try [s]."""
        return float(min(self._config.first_wait * 2.0**self.count, self._config.longest_wait))

    def note_try(self) -> None:
        """Count a try."""
        self.count += 1

    def note_well(self, seconds: float) -> None:
        """Take note of how long the thing has gone well [s]; long enough, and tries count anew."""
        if seconds >= self._config.settled:
            self.count = 0
