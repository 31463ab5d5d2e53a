"""The time of a bag: that of its stamps, where they move on as its recorder saw them come."""

SECOND = 1_000_000_000  # [ns]
MAX_STEP_NS = SECOND  # that a stamp may be ahead of what the recorder's time lets expect
SLACK_NS = SECOND  # that a stamp may be behind the present, as of another sensor


class BagClock:
    """Present time for the messages of a bag, given in their order.

    It is the newest stamp, as the recorder's clock may be another one. A stamp that is more than a
    second ahead of the time that passed at the recorder is not used, and while stamps are more
    than a second in the past, the time passes as it did at the recorder: it never goes back.

    Attributes:
        now_ns: present time [ns]; 0 before the first message.
    """

    def __init__(self) -> None:
        self.now_ns = 0
        self._receive_ns = 0

    def note(self, stamp_ns: int, receive_ns: int) -> int:
        """Take a message; returns the present time [ns].

        Args:
            stamp_ns: of the message.
            receive_ns: when it was recorded.
        """
        if not self.now_ns:
            self.now_ns, self._receive_ns = stamp_ns, receive_ns
            return self.now_ns
        expected_ns = self.now_ns + max(0, receive_ns - self._receive_ns)
        if self.now_ns < stamp_ns <= expected_ns + MAX_STEP_NS:
            self.now_ns, self._receive_ns = stamp_ns, receive_ns
        elif not self.now_ns - SLACK_NS <= stamp_ns <= self.now_ns:
            passed_ns = max(0, expected_ns - SLACK_NS - self.now_ns)
            self.now_ns, self._receive_ns = self.now_ns + passed_ns, self._receive_ns + passed_ns
        return self.now_ns
