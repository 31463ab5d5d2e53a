"""Heartbeats: what each node reports about itself on /diagnostics, once per second."""

import re

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from conegrad_core.processes.supervision import Heartbeat, Process

PART = "node"  # of the status that carries it
NUMBER = re.compile(r"[1-9][0-9]{0,19}")  # of a process, and of the tick that it started at


def heartbeat_values(process: Process, state: str, *, is_managed: bool) -> dict[str, str]:
    """A heartbeat as the values of a status."""
    return {
        "state": state,
        "autostart": str(is_managed).lower(),
        "host": process.host,
        "pid": str(process.pid),
        "started": process.started,
    }


def heartbeats_from_msg(msg: DiagnosticArray) -> list[Heartbeat]:
    """The heartbeats in a message; what has none is passed over."""
    return [beat for status in msg.status if (beat := _heartbeat(status)) is not None]


def _heartbeat(status: DiagnosticStatus) -> Heartbeat | None:
    values = {entry.key: entry.value for entry in status.values}
    pid, started = values.get("pid", ""), values.get("started", "")
    if not status.name.endswith(f": {PART}") or "state" not in values:
        return None
    # What does not name one process, such as 0, the own group, must never be ended.
    if not NUMBER.fullmatch(pid) or (started and not NUMBER.fullmatch(started)):
        return None
    trouble = "" if status.level == DiagnosticStatus.OK else status.message
    return Heartbeat(
        node=status.hardware_id,
        process=Process(values.get("host", ""), int(pid), started),
        state=values["state"],
        is_managed=values.get("autostart") == "true",
        trouble=trouble,
    )
