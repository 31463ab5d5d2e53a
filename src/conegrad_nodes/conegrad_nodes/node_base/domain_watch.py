"""Tells on the diagnostics when the frames of a sensor are unlike those of the training."""

from typing import Any

from conegrad_core.consistency.reason import Reason
from conegrad_core.domain_monitor.domain_monitor import (
    DomainMonitor,
    DomainState,
    load_monitor,
    monitor_file,
)
from conegrad_data.status.part_status import Level, PartStatus

# [ns] between the stamps of two frames that are looked at: below the period of a camera of 15 Hz,
# so that the median over ten frames follows within a second.
PERIOD_NS = 60_000_000
ALARMS = {"Image": "image_unlike", "Scan": "scan_unlike"}  # names by kind


class DomainWatch:
    """The domain monitor of one sensor node.

    Args:
        path: file of ``conegrad monitor fit``, or name of one that ships; empty: none.
        kind: of the port, ``Image`` or ``Scan``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind.
    """

    def __init__(self, path: str, kind: str) -> None:
        self._path, self._kind = path, kind
        self._last_ns = 0
        self._monitor: DomainMonitor | None = None
        if path:
            self._monitor = load_monitor(monitor_file(path), kind)

    def observe(self, value: Any, stamp_ns: int) -> None:
        """Look at a frame, unless the last look was a moment ago; after its results are out."""
        if self._monitor is not None and abs(stamp_ns - self._last_ns) >= PERIOD_NS:
            self._last_ns = stamp_ns
            self._monitor.observe(value)

    def alarms(self) -> tuple[Reason, ...]:
        """What goes with the results: that the latest frames are unlike the training's."""
        if self._monitor is None or not self._monitor.state.is_unlike:
            return ()
        return (Reason(ALARMS[self._kind], self._text(self._monitor.state)),)

    def status(self) -> list[PartStatus]:
        """Whether the latest frames are unlike; nothing without a file."""
        if self._monitor is None:
            text = f"{self._path} was fitted without {self._kind} frames: they are not watched"
            return [PartStatus("domain", Level.OK, "no model", text)] if self._path else []
        state = self._monitor.state
        values = {"distance": f"{state.distance:.3f}", "threshold": f"{state.threshold:.3f}"}
        if not state.is_unlike:
            return [
                PartStatus("domain", Level.OK, "like", "frames are like the training's", values)
            ]
        return [PartStatus("domain", Level.WARN, "unlike", self._text(state), values)]

    def _text(self, state: DomainState) -> str:
        return (
            f"frames are unlike those of the training: distance {state.distance:.1f}, alarm above "
            f"{state.threshold:.1f}, most of all in {', '.join(state.unusual)}"
        )
