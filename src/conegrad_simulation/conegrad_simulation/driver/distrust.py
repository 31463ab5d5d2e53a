"""How long the cones have contradicted each other: what the driver stops for."""

from collections.abc import Sequence

from conegrad_core.consistency.reason import Reason

# Reasons for which a cone may be elsewhere, or of another colour, than the message says. All others
# shorten the view: the car slows down.
CONTRADICTIONS = frozenset(
    {
        "camera_frozen",
        "lidar_frozen",
        "sensors_contradict",
        "colours_changed",
        "colours_swapped",
        "odometry_drifts",
    }
)
FORGIVING = 0.25  # seconds of distrust that a second without contradiction makes up for
MOST = 0.5  # [s]; 2 s without contradiction restore the trust after any time
LONGEST_GAP = 0.2  # [s] between two messages that counts


class Distrust:
    """Rises while messages contradict, falls slowly while they do not.

    So a contradiction in every other message stops the car, and one that comes once does not.

    Args:
        limit: above which the car stops [s].

    Attributes:
        text: the contradictions of the message that raised it last.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._level = 0.0  # [s]
        self._is_stopped = False
        self._stamp_ns: int | None = None
        self.text = ""

    @property
    def is_too_long(self) -> bool:
        """Whether the car has to stop; once it has to, until all of it is made up for."""
        return self._is_stopped

    def observe(self, stamp_ns: int, reasons: Sequence[Reason]) -> None:
        """Take the reasons of a message with its stamp [ns]."""
        found = [reason for reason in reasons if reason.name in CONTRADICTIONS]
        seconds = 0.0 if self._stamp_ns is None else (stamp_ns - self._stamp_ns) / 1e9
        self._stamp_ns = stamp_ns
        seconds = min(max(seconds, 0.0), LONGEST_GAP)
        if found:
            self.text = "; ".join(map(str, found))
            self._level = min(self._level + seconds, max(MOST, 2 * self._limit))
        else:
            self._level = max(self._level - FORGIVING * seconds, 0.0)
        if self._level > self._limit:
            self._is_stopped = True
        elif self._level == 0.0:
            self._is_stopped = False
