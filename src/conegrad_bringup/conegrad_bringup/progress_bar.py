"""Progress of a command."""

from collections.abc import Iterable
from typing import TypeVar

from conegrad_training.engine.progress_display import shown

T = TypeVar("T")


class ProgressBar:
    """Shows progress: a bar on a terminal, elsewhere a line now and then."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __call__(self, items: Iterable[T], total: int) -> Iterable[T]:
        """The same items, counted."""
        return shown(items, total, self._title, unit_scale=True)
