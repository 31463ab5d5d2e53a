"""This process as other processes may know it, and how they end it."""

import os
import signal
import socket
from pathlib import Path

from conegrad_core.processes.supervision import Process

START_FIELD = 19  # of /proc/PID/stat, counted after the name of the program


def this_process() -> Process:
    """Host, number and start of this process."""
    return Process(socket.gethostname(), os.getpid(), _started(os.getpid()))


def end_process(process: Process) -> bool:
    """Kill another process, be it stopped or hung; whether it was there, on this host.

    Raises:
        PermissionError: if it is of another user.
    """
    is_here = process.host == socket.gethostname() and process.pid > 0 and bool(process.started)
    is_other = process.pid != os.getpid()
    if not (is_here and is_other) or process.started != _started(process.pid):
        return False
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _started(pid: int) -> str:
    """Time of the start of a process, in ticks since the machine was booted; empty if unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[START_FIELD]
