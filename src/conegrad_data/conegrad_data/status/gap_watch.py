"""How many messages of a sensor are missing, by gaps in their stamps."""

from collections import deque

SPAN = 5.0  # [s] that is looked back
RECENT = 1.5  # [s] that a loss stays worth a word
WINDOW = 20  # intervals by which the usual one is known
MIN_WINDOW = 6
SETTLED = 8  # intervals in a row that are alike: the sensor has this rate, whatever it had before
ALIKE = 1.3  # ratio of intervals that count as the same
GAP = 1.7  # ratio to the usual interval from which messages are missing
MIN_LOST, MIN_SHARE = 5, 0.1  # below them nothing is reported


class GapWatch:
    """Counts what is missing between the stamps of one topic.

    The usual interval is that of the shortest recent ones. A longer one counts as a gap only once
    a usual one follows: a sensor that is slowed down has no gaps, but another rate.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._intervals: deque[int] = deque(maxlen=WINDOW)
        self._pending: list[tuple[float, int]] = []
        self._lost: deque[tuple[float, int]] = deque(maxlen=1000)
        self._received: deque[float] = deque(maxlen=1000)

    def note(self, stamp_ns: int, now: float) -> None:
        """Take the stamp of a message that arrived at ``now`` [s]."""
        last_ns, self._last_ns = self._last_ns, stamp_ns
        self._received.append(now)
        if last_ns is None or stamp_ns <= last_ns:
            return
        interval = stamp_ns - last_ns
        self._intervals.append(interval)
        if self._is_settled():
            self._pending.clear()
        elif len(self._intervals) >= MIN_WINDOW:
            self._compare(interval, now)

    def _is_settled(self) -> bool:
        latest = list(self._intervals)[-SETTLED:]
        if len(latest) < SETTLED or max(latest) > ALIKE * min(latest):
            return False
        self._intervals = deque(latest, maxlen=WINDOW)
        return True

    def _compare(self, interval: int, now: float) -> None:
        usual = sorted(self._intervals)[len(self._intervals) // 10]
        if interval >= GAP * usual:
            self._pending.append((now, round(interval / usual) - 1))
        elif interval <= ALIKE * usual:
            self._lost.extend(self._pending)
            self._pending.clear()

    def lost(self, now: float) -> tuple[int, int]:
        """Messages missing of the last 5 s, and of how many; 0 where it is over, or too few."""
        missing = sum(count for at, count in self._lost if now - at <= SPAN)
        came = sum(now - at <= SPAN for at in self._received)
        is_over = not self._lost or now - self._lost[-1][0] > RECENT
        if is_over or missing < MIN_LOST or missing < MIN_SHARE * (missing + came):
            return 0, came
        return missing, missing + came
