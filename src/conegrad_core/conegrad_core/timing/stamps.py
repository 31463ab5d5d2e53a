"""Which stamps are used: compared with a clock and, where that is another one, by agreement."""

import statistics
from dataclasses import dataclass

SECOND = 1_000_000_000  # [ns]
SPREAD_NS = SECOND  # stamps of sensors on one clock arrive with ages this near to each other
HOLD_NS = 300_000_000  # that sensors must agree on another clock before it is accepted
ACTIVE_NS = 3 * SECOND  # after its last message a sensor has no say any more
MIN_DOUBTS = 2  # messages of each sensor that must agree on it
CLOCK_JUMP_NS = SECOND  # back, of the clock itself: a run begins anew
TAI_AHEAD = (36.5, 37.5)  # [s], International Atomic Time ahead of UTC since 2017


@dataclass
class _Doubt:
    """Messages in a row of a sensor that the present clock does not explain."""

    since_ns: int
    age_ns: int
    count: int = 1


class StampGate:
    """Says of each message whether its stamp is used, so that no sensor's clock decides alone.

    A stamp is used while its age by the clock is within the limits. Where no sensor is within
    them, as in a bag that is played without ``/clock``, the sensors decide: as soon as all that are
    sending agree on another offset for 0.3 s, stamps around that offset are used. One sensor
    against the clock that others agreed with is refused for good; where only one sensor was ever
    there, it is accepted likewise.

    Args:
        max_age: an older stamp is not used [s].
        max_ahead: a stamp further ahead of the clock is not used [s].
    """

    def __init__(self, max_age: float, max_ahead: float) -> None:
        self._limits_ns = (round(-max_ahead * SECOND), round(max_age * SECOND))
        self._clock_ns: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._is_decided = False
        self._offset_ns: int | None = None  # of the stamps' clock; None: the clock is theirs
        self._ages: dict[str, tuple[int, int]] = {}  # clock and age of the last used message
        self._doubts: dict[str, _Doubt] = {}
        self._last: dict[str, int] = {}  # clock at the last message of each sensor

    @property
    def offset(self) -> float | None:
        """Age that the stamps of all sensors share [s]; None where the clock is theirs."""
        return None if self._offset_ns is None else self._offset_ns / SECOND

    def now_ns(self, clock_ns: int | None) -> int | None:
        """The clock where stamps are on it, else None."""
        return clock_ns if self._offset_ns is None else None

    def refusal(self, sensor: str, stamp_ns: int, clock_ns: int | None) -> str:
        """Why a message is not used, with its numbers; empty where it is used.

        Args:
            sensor: name of the source.
            stamp_ns: of the message [ns].
            clock_ns: at its arrival [ns]; None where there is no clock: every stamp is used.
        """
        if clock_ns is None:
            return ""
        if self._clock_ns is not None and clock_ns < self._clock_ns - CLOCK_JUMP_NS:
            self._forget()
        self._clock_ns, self._last[sensor] = clock_ns, clock_ns
        age_ns = clock_ns - stamp_ns
        if self._fits(age_ns):
            self._use(sensor, age_ns, clock_ns)
            return ""
        self._doubt(sensor, age_ns, clock_ns)
        if self._moves_to_clock(sensor, clock_ns) or self._moves_by_agreement(clock_ns):
            return "" if self._fits(age_ns) else self._reason(age_ns)
        return self._reason(age_ns)

    def _is_of_clock(self, age_ns: int) -> bool:
        return self._limits_ns[0] <= age_ns <= self._limits_ns[1]

    def _fits(self, age_ns: int) -> bool:
        if self._offset_ns is None:
            return self._is_of_clock(age_ns)
        return abs(age_ns - self._offset_ns) <= SPREAD_NS

    def _use(self, sensor: str, age_ns: int, clock_ns: int) -> None:
        self._is_decided = True
        self._doubts.pop(sensor, None)
        self._ages[sensor] = (clock_ns, age_ns)
        if self._offset_ns is not None:  # follows a bag that is played slower or faster
            recent = [age for at, age in self._ages.values() if clock_ns - at <= ACTIVE_NS]
            self._offset_ns = round(statistics.median(recent))

    def _doubt(self, sensor: str, age_ns: int, clock_ns: int) -> None:
        doubt = self._doubts.get(sensor)
        if doubt is None or abs(age_ns - doubt.age_ns) > SPREAD_NS:
            self._doubts[sensor] = _Doubt(clock_ns, age_ns)
        else:
            doubt.age_ns, doubt.count = age_ns, doubt.count + 1

    def _moves_to_clock(self, sensor: str, clock_ns: int) -> bool:
        """A sensor on another clock than the agreed one is on the clock itself: that wins."""
        doubt = self._doubts[sensor]
        if self._offset_ns is None or not self._is_of_clock(doubt.age_ns):
            return False
        if doubt.count <= MIN_DOUBTS or clock_ns - doubt.since_ns < HOLD_NS:
            return False
        self._move(None)
        return True

    def _moves_by_agreement(self, clock_ns: int) -> bool:
        """All sensors that are sending agree on one offset."""
        active = [name for name, last in self._last.items() if clock_ns - last <= ACTIVE_NS]
        doubts = [self._doubts[name] for name in active if name in self._doubts]
        if len(doubts) < len(active) or (self._is_decided and 1 == len(active) < len(self._last)):
            return False
        if any(doubt.count < MIN_DOUBTS for doubt in doubts):
            return False
        if clock_ns - max(doubt.since_ns for doubt in doubts) < HOLD_NS:
            return False
        ages = [doubt.age_ns for doubt in doubts]
        groups = [[age for age in ages if abs(age - one) <= SPREAD_NS] for one in ages]
        largest = max(groups, key=len)
        if self._is_decided and len(largest) < len(doubts):
            return False
        self._move(round(statistics.median(largest)))
        return True

    def _move(self, offset_ns: int | None) -> None:
        if offset_ns is not None and self._is_of_clock(offset_ns):
            offset_ns = None
        self._offset_ns, self._is_decided = offset_ns, True
        self._ages.clear()
        self._doubts.clear()

    def _reason(self, age_ns: int) -> str:
        off_ns = age_ns if self._offset_ns is None else age_ns - self._offset_ns
        side = "behind" if off_ns > 0 else "ahead of"
        seconds = abs(off_ns) / SECOND
        if self._offset_ns is not None:
            return f"its stamp is {seconds:.1f} s {side} those of the other sensors: not used"
        limit = self._limits_ns[off_ns > 0] / SECOND
        hint = ": TAI for UTC?" if off_ns < 0 and TAI_AHEAD[0] <= seconds <= TAI_AHEAD[1] else ""
        return (
            f"its stamp is {seconds:.1f} s {side} the node's clock{hint}, at most {abs(limit):g} s "
            "is used: synchronise the clocks"
        )
