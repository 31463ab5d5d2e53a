"""Tells on the diagnostics when the frames of a sensor are unlike those of the training."""

import time
from pathlib import Path
from typing import Any

from conegrad_core.domain_monitor.domain_monitor import DomainMonitor, load_monitor
from conegrad_data.status.part_status import Level, PartStatus

PERIOD = 0.1  # [s] between two frames that are looked at


class DomainWatch:
    """The domain monitor of one sensor node.

    Args:
        path: file of ``conegrad monitor fit``; empty: nothing is watched.
        kind: of the port, ``Image`` or ``Scan``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind.
    """

    def __init__(self, path: str, kind: str) -> None:
        self._path, self._kind = path, kind
        self._last = -PERIOD
        self._monitor: DomainMonitor | None = None
        if path:
            self._monitor = load_monitor(Path(path).expanduser(), kind)

    def observe(self, value: Any) -> None:
        """Look at a frame, unless the last look was a moment ago; after its results are out."""
        now = time.monotonic()
        if self._monitor is not None and now - self._last >= PERIOD:
            self._last = now
            self._monitor.observe(value)

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
        text = (
            f"frames are unlike those of the training: distance {state.distance:.1f}, alarm above "
            f"{state.threshold:.1f}, most of all in {', '.join(state.unusual)}"
        )
        return [PartStatus("domain", Level.WARN, "unlike", text, values)]
