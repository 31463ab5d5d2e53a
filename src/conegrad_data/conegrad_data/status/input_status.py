"""Status of one input of a node, from what arrived on it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from conegrad_data.status.gap_watch import GapWatch
from conegrad_data.status.part_status import Level, PartStatus
from conegrad_data.status.publisher_watch import PublisherWatch

RECENT = 1.5  # [s] that an incident (bad message, clock jump) stays in the diagnostics

SHARED_MEMORY = 400_000  # [byte], near the 512 kB that Fast DDS has for all messages of a process
MANY_REPEATS = 3  # of ten messages
AHEAD_TOLERANCE = 0.2  # [s] that a stamp may be ahead: no message comes before it is taken


@dataclass
class InputRecord:
    """What happened on one input so far; times are of the steady clock [s]."""

    topic: str
    msgtype: str
    timeout: float  # [s] without a message after which the input counts as stopped
    stamp_tolerance: float  # [s] that a stamp may be off the clock of the node
    is_optional: bool = False
    is_latched: bool = False  # sent once: silence is not a fault
    received: int = 0
    refused: int = 0
    last_arrival: float = 0.0
    last_refusal: float = -RECENT
    refusal: str = ""
    last_stamp_ns: int | None = None
    stamp_age: float = 0.0  # [s], clock of the node minus stamp
    last_jump: float = -RECENT
    jump: float = 0.0  # [s] that the stamps went back
    incompatible_policy: str = ""
    watches_gaps: bool = False  # every message of the sensor is expected
    size: int = 0  # [byte] of the latest message
    gaps: GapWatch = field(default_factory=GapWatch)
    publishers: PublisherWatch = field(default_factory=PublisherWatch)
    repeats: deque[bool] = field(default_factory=lambda: deque(maxlen=10))  # of latest messages

    def arrive(self, now: float) -> None:
        """Record that a message arrived, whatever its stamp."""
        self.received += 1
        self.last_arrival = now

    def note(self, stamp_ns: int, clock_ns: int, now: float) -> None:
        """Record a message that arrived at ``now``, and its stamp."""
        if self.last_stamp_ns is not None and stamp_ns < self.last_stamp_ns:
            self.last_jump, self.jump = now, (self.last_stamp_ns - stamp_ns) / 1e9
        self.arrive(now)
        self.gaps.note(stamp_ns, now)
        self.repeats.append(stamp_ns == self.last_stamp_ns)
        self.last_stamp_ns = stamp_ns
        self.stamp_age = (clock_ns - stamp_ns) / 1e9

    def refuse(self, reason: str, now: float) -> None:
        """Record that the latest message could not be used."""
        self.refused += 1
        self.last_refusal, self.refusal = now, reason


def input_status(
    record: InputRecord, publishers: Callable[[], Sequence[str]], now: float
) -> PartStatus:
    """The state of an input.

    Args:
        record: what was received.
        publishers: gives the message type of each publisher of the topic; asked only where
            nothing comes in.
        now: steady clock [s].
    """
    values = {"received": str(record.received), "refused": str(record.refused)}
    if record.received:
        level, cause, text = _received(record, now)
    else:
        found = publishers()
        level, cause, text = _never_received(record, found)
        values["publishers"] = str(len(found))
    return PartStatus(f"input {record.topic}", level, cause, text, values)


def _never_received(record: InputRecord, publishers: Sequence[str]) -> tuple[Level, str, str]:
    quiet = Level.OK if record.is_optional else Level.ERROR
    others = sorted(set(publishers) - {record.msgtype})
    if others and record.msgtype not in publishers:
        text = f"{record.topic} is published as {', '.join(others)}, expected {record.msgtype}"
        return Level.ERROR, "other type", text
    if record.incompatible_policy:
        text = (
            f"the publisher of {record.topic} offers another {record.incompatible_policy} than "
            "this node asks for: change the QoS of one of them"
        )
        return Level.ERROR, f"incompatible {record.incompatible_policy}", text
    if not publishers:
        text = f"nothing received on {record.topic}: it has no publisher"
        return quiet, "no publisher", text
    text = (
        f"nothing received on {record.topic}: it has {len(publishers)} publisher(s) that are silent"
    )
    return min(quiet, Level.WARN), "silent publisher", text


def _received(record: InputRecord, now: float) -> tuple[Level, str, str]:
    age = now - record.last_arrival
    if age > record.timeout and not record.is_latched:
        level = Level.WARN if record.is_optional else Level.STALE
        return level, "stopped", f"{record.topic} stopped {age:.1f} s ago"
    if not record.is_latched and (fault := record.publishers.fault(record.topic, now)):
        return Level.ERROR, "several publishers", fault
    if record.refused and now - record.last_refusal < RECENT:
        is_total = record.refused == record.received
        level = Level.ERROR if is_total else Level.WARN
        text = f"skipped {record.refused} of {record.received} on {record.topic}: {record.refusal}"
        return level, "refused", text
    if now - record.last_jump < RECENT:
        text = f"stamps on {record.topic} went back by {record.jump:.3f} s"
        return Level.WARN, "stamps went back", text
    if sum(record.repeats) >= MANY_REPEATS and not record.is_latched:
        text = (
            f"{sum(record.repeats)} of the latest {len(record.repeats)} messages on "
            f"{record.topic} repeat the stamp before: its clock stands still, or two publish them"
        )
        return Level.WARN, "stamps repeat", text
    is_ahead = record.stamp_age < -min(AHEAD_TOLERANCE, record.stamp_tolerance)
    if (is_ahead or record.stamp_age > record.stamp_tolerance) and not record.is_latched:
        return Level.WARN, "stamps off the clock", _off_the_clock(record)
    lost, sent = record.gaps.lost(now) if record.watches_gaps else (0, 0)
    if lost:
        return Level.WARN, "messages lost", _lost(record, lost, sent)
    return Level.OK, "receiving", f"receiving {record.topic}"


def _lost(record: InputRecord, lost: int, sent: int) -> str:
    text = f"{lost} of the last {sent} messages on {record.topic} are missing by their stamps: "
    if record.size > SHARED_MEMORY:
        return text + (
            f"messages of {record.size / 1e6:.1f} MB do not fit the shared memory of Fast DDS; set "
            "FASTRTPS_DEFAULT_PROFILES_FILE to config/fastdds_large_messages.xml for the driver "
            "and for the perception"
        )
    return text + "the network, the driver or a busy processor drops them"


def _off_the_clock(record: InputRecord) -> str:
    side = "behind" if record.stamp_age > 0 else "ahead of"
    return (
        f"stamps on {record.topic} are {abs(record.stamp_age):.1f} s {side} the node's clock: "
        "synchronise the clocks, or set use_sim_time where a bag is played"
    )
