"""Inputs of the graph that wait for their result, by stamp, and those whose result is lost."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

NANOSECONDS = 1_000_000_000
# A pair is decided once the other sensor has passed it, and given up after the pairing's timeout.
SETTLE = 0.15  # [s] of bag time after which the result of a decidable image has to be there
GIVEN_UP = 0.35  # [s] of bag time after which the result of any image has to be there


class ResultCounts(NamedTuple):
    """Of one stage: inputs sent, results received, and results known to be lost."""

    sent: int
    received: int
    lost: int


@dataclass
class AwaitedResults:
    """Results of one stage of the graph: inputs by stamp that wait for theirs.

    Attributes:
        name: such as ``images``.
        topics: on all of which an input is answered.
        waiting: ``time.perf_counter()`` of publishing, by stamp [ns].
        sent: inputs so far.
        received: outputs that belong to one of them.
        lost: stamps of inputs that were given up [ns].
        latencies: from publishing to the output [s], in the order of outputs.
    """

    name: str
    topics: Sequence[str] = ("",)
    waiting: dict[int, float] = field(default_factory=dict)
    sent: int = 0
    received: int = 0
    lost: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    _answered: dict[int, set[str]] = field(default_factory=dict)  # topics by stamp [ns]

    def send(self, stamp_ns: int) -> None:
        """An input is published now."""
        self.waiting[stamp_ns] = time.perf_counter()
        self.sent += 1

    def receive(self, stamp_ns: int, arrival: float, topic: str = "") -> float | None:
        """An output came at ``time.perf_counter()``; returns the latency if it was awaited [s].

        Of several topics the last one counts; None for those before it.
        """
        if stamp_ns not in self.waiting:
            return None
        answered = self._answered.setdefault(stamp_ns, set())
        answered.add(topic)
        if len(answered) < len(self.topics):
            return None
        del self._answered[stamp_ns]
        sent = self.waiting.pop(stamp_ns)
        self.received += 1
        self.latencies.append(arrival - sent)
        return arrival - sent

    def give_up(self, before_ns: int) -> list[int]:
        """Count the inputs up to a stamp that still wait as lost; returns their stamps [ns]."""
        lost = [stamp for stamp in self.waiting if stamp <= before_ns]
        for stamp in lost:
            del self.waiting[stamp]
            self._answered.pop(stamp, None)
        self.lost += lost
        return lost

    def oldest_age(self, now_ns: int) -> float:
        """Bag time since the oldest stamp that waits [s]; 0 if nothing does."""
        return max(0.0, (now_ns - min(self.waiting, default=now_ns)) / NANOSECONDS)

    def is_idle(self) -> bool:
        """Nothing waits."""
        return not self.waiting

    def counts(self) -> ResultCounts:
        """Messages so far."""
        return ResultCounts(self.sent, self.received, len(self.lost))


class ResultTracker:
    """All stages of the graph.

    Attributes:
        images: until the results of the camera, such as detections.
        scans: until those of the LiDAR, such as the segmentation.
        fusions: messages of the triggering sensor until the cones.
    """

    def __init__(self, of_images: Sequence[str] = ("",), of_scans: Sequence[str] = ("",)) -> None:
        """Begin.

        Args:
            of_images: topics with a result of each image.
            of_scans: of each scan.
        """
        self.images = AwaitedResults("images", of_images)
        self.scans = AwaitedResults("scans", of_scans)
        self.fusions = AwaitedResults("fusions")
        self._newest_partner_ns = 0

    def note_partner(self, stamp_ns: int) -> None:
        """A message of the sensor that does not trigger has passed its node."""
        self._newest_partner_ns = max(self._newest_partner_ns, stamp_ns)

    def overdue(self, now_ns: int) -> int:
        """Newest stamp whose cones must have come by a bag time [ns]; 0 if none is overdue."""
        return max(
            (stamp for stamp in self.fusions.waiting if self._is_overdue(stamp, now_ns)),
            default=0,
        )

    def _is_overdue(self, stamp_ns: int, now_ns: int) -> bool:
        age = (now_ns - stamp_ns) / NANOSECONDS
        return age > GIVEN_UP or (age > SETTLE and self._newest_partner_ns >= stamp_ns)
