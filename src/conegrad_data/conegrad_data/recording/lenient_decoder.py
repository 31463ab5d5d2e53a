"""Messages of a bag whose bytes do not fit their type: skipped, reported and counted."""

import logging
from typing import Any

from conegrad_data.bags.reader import BagReader, RawMessage
from conegrad_data.bags.types import BagError

logger = logging.getLogger(__name__)


class LenientDecoder:
    """Decodes messages of a bag; a broken one ends neither a run nor makes it wait for an answer.

    Attributes:
        skipped: number of messages of each topic that could not be decoded.
    """

    def __init__(self, bag: BagReader) -> None:
        self._bag = bag
        self.skipped: dict[str, int] = {}

    def decode(self, raw: RawMessage) -> Any | None:
        """The message; None for a broken one, of which the first of each topic is reported."""
        try:
            return self._bag.decode(raw)
        except BagError as error:
            if raw.topic not in self.skipped:
                logger.warning("skipped a message: %s", error)
            self.skipped[raw.topic] = self.skipped.get(raw.topic, 0) + 1
            return None

    def tell(self) -> None:
        """Log how many were skipped."""
        for line in self.described():
            logger.warning("%s", line)

    def described(self) -> list[str]:
        """One line for each topic with broken messages."""
        return [
            f"{count} of {self._bag.topics[topic].count} messages on {topic} do not fit their "
            "type and were skipped"
            for topic, count in self.skipped.items()
        ]
