"""How far a long task is: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

LINE_PERIOD = 30.0  # [s] between two lines where the output is no terminal
BAR_PERIOD = 0.2  # [s] between two drawings of a bar


class ProgressDisplay:
    """Shows on stderr how far a task is; a short one leaves no line in a log file.

    Attributes:
        done: how much was done so far.
    """

    def __init__(
        self, title: str, total: float, *, done: float = 0, unit: str = "", **bar: Any
    ) -> None:
        """Begin to count.

        Args:
            title: what is done.
            total: how much there is to do.
            done: how much was done before.
            unit: of both.
            bar: further settings of the bar of ``tqdm``.
        """
        self._title, self._total, self._unit = title, total, unit
        self.done = self._first = done
        self._started = self._told = time.monotonic()
        self._is_told = False
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            settings = {"unit": unit or "it", "mininterval": BAR_PERIOD, **bar}
            self._bar = tqdm(desc=title, total=total, initial=done, **settings)

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Count on; ``note`` follows the figures."""
        self.done += amount
        if self._bar is not None:
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(amount)
        elif time.monotonic() - self._told >= LINE_PERIOD:
            self._tell(note)

    def close(self) -> None:
        """End: the bar stays, or the last line is written if there were others."""
        if self._bar is not None:
            self._bar.close()
        elif self._is_told:
            self._tell("")

    def _tell(self, note: str) -> None:
        self._told, self._is_told = time.monotonic(), True
        share = f"{self.done:.0f} of {self._total:.0f}{self._unit and ' '}{self._unit}"
        parts = [share, *filter(None, [self._left(), note])]
        sys.stderr.write(f"{self._title}: {', '.join(parts)}\n")
        sys.stderr.flush()

    def _left(self) -> str:
        passed, left = self._told - self._started, self._total - self.done
        if self.done <= self._first or left <= 0:
            return ""
        minutes, seconds = divmod(round(passed * left / (self.done - self._first)), 60)
        return f"{minutes}:{seconds:02d} min left"


def shown(
    items: Iterable[T],
    total: int,
    title: str,
    *,
    done: int = 0,
    unit: str = "",
    note: Callable[[T], str] | None = None,
    **bar: Any,
) -> Iterator[T]:
    """The same items, counted on a display.

    Args:
        items: counted when they have been dealt with.
        total: their number, with those that were done before.
        title: what is done with them.
        done: number of those that were done before.
        unit: what they are.
        note: a few words about the last one.
        bar: further settings of the bar.
    """
    display = ProgressDisplay(title, total, done=done, unit=unit, **bar)
    try:
        for item in items:
            yield item
            display.advance(1, note(item) if note else "")
    finally:
        display.close()


def written_losses(losses: Mapping[str, float]) -> str:
    """Losses as the note of a step."""
    return ", ".join(f"{name}={value:.3f}" for name, value in losses.items())
