"""Joins what comes on several topics by equal stamps."""

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_WAIT = 50  # stamps of which something is still missing; then the oldest is dropped
FEW = 5  # stamps in a row that were dropped, from which on it is reported
MANY = 20  # stamps that wait, from which on it is reported: a slow stage may have some on their way


class StampJoin:
    """Collects the parts of each stamp until all of them are there.

    Messages of a topic come in their order: once a stamp is complete, older ones never will be.

    Args:
        topics: of each part, for messages.
    """

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._topics = dict(topics)
        self._waiting: dict[int, dict[str, Any]] = {}
        self._incomplete = 0  # dropped since the last complete stamp
        self._missing: dict[str, int] = {}  # of these, by part
        self.dropped = 0

    def add(self, part: str, stamp_ns: int, value: Any) -> dict[str, Any] | None:
        """Take one part of a stamp; all of them, in the order of the topics, once it is complete.

        Args:
            part: key of its topic.
            stamp_ns: of the message [ns].
            value: of this part.
        """
        found = self._waiting.setdefault(stamp_ns, {})
        found[part] = value
        if len(found) < len(self._topics):
            if len(self._waiting) > LONGEST_WAIT:
                self._drop(next(iter(self._waiting)))
            return None
        for other in [stamp for stamp in self._waiting if stamp < stamp_ns]:
            self._drop(other)
        del self._waiting[stamp_ns]
        self._incomplete = 0
        self._missing = {}
        return {name: found[name] for name in self._topics}

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._incomplete, self._missing = 0, {}

    def fault(self) -> str:
        """What is missing while no stamp gets complete, by topic; empty if all is well."""
        waiting = list(self._waiting.values())
        if self._incomplete < FEW and len(waiting) < MANY:
            return ""
        count = self._incomplete + len(waiting)
        missing = dict(self._missing)
        for found in waiting:
            for part in self._topics.keys() - found.keys():
                missing[part] = missing.get(part, 0) + 1
        silent = [self._topics[part] for part in self._topics if part in missing]
        others = [self._topics[part] for part in self._topics if part not in missing]
        reason = _reason(silent, others, list(self._topics.values()))
        return f"the last {count} stamps came on some of the inputs only: {reason}"

    def _drop(self, stamp_ns: int) -> None:
        found = self._waiting.pop(stamp_ns)
        self.dropped += 1
        self._incomplete += 1
        for part in self._topics.keys() - found.keys():
            self._missing[part] = self._missing.get(part, 0) + 1


def _reason(silent: Sequence[str], others: Sequence[str], topics: Sequence[str]) -> str:
    expected = f"expected equal stamps on {', '.join(topics)}"
    if not others:
        return f"no stamp is on all of them, {expected}"
    return f"nothing with the stamps of {', '.join(others)} on {', '.join(silent)}, {expected}"
