"""Publishes findings on /diagnostics and in the log."""

import time
from collections.abc import Sequence
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from conegrad_data.status.part_status import Level, PartStatus

PERIOD = 1.0  # [s] between two reports without a change
LOG_PERIOD = 5.0  # [s] between two log lines of the same trouble


class Diagnostics:
    """Reports once per second, and at once when a level or a cause changes."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # The absolute name is the convention of ROS: aggregators listen there.
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._causes: dict[str, tuple[Level, str]] = {}
        self._last_log: dict[tuple[str, Level, str], float] = {}  # by part, level and cause
        self._last_report = -PERIOD

    def report(self, findings: Sequence[PartStatus]) -> None:
        """Publish the findings if it is time or something changed, and log troubles."""
        now = time.monotonic()
        for finding in findings:
            self._log(finding, now)
        causes = {finding.part: (finding.level, finding.cause) for finding in findings}
        if causes == self._causes and now - self._last_report < PERIOD:
            return
        self._causes, self._last_report = causes, now
        msg = DiagnosticArray(status=[self._status(finding) for finding in findings])
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(msg)

    def _status(self, finding: PartStatus) -> DiagnosticStatus:
        name = self._node.get_name()
        return DiagnosticStatus(
            level=bytes([finding.level]),
            name=f"{name}: {finding.part}",
            message=finding.text,
            hardware_id=self._node.get_fully_qualified_name(),
            values=[KeyValue(key=key, value=value) for key, value in finding.values.items()],
        )

    def _log(self, finding: PartStatus, now: float) -> None:
        logger = self._node.get_logger()
        before = self._causes.get(finding.part)
        has_changed = before != (finding.level, finding.cause)
        if finding.level == Level.OK:
            if has_changed and before is not None and before[0] != Level.OK:
                logger.info(finding.text)
            return
        trouble = (finding.part, finding.level, finding.cause)
        if now - self._last_log.get(trouble, -LOG_PERIOD) < LOG_PERIOD:
            return  # it may come and go
        self._last_log[trouble] = now
        if finding.level == Level.ERROR:
            logger.error(finding.text)
        else:
            logger.warning(finding.text)


def level_of(status: DiagnosticStatus) -> int:
    """Level of a received status as a number: rclpy gives a byte."""
    level: Any = status.level
    return level[0] if isinstance(level, bytes) else int(level)
