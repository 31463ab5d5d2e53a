"""This process as other processes may know it, and how they end it."""

import os
import signal
import socket
from pathlib import Path

from conegrad_core.processes.supervision import Process

# Fields of /proc/PID/stat, counted after the name of the program.
PARENT_FIELD, START_FIELD = 1, 19
INIT = 1  # parent of all processes whose own one has ended


def this_process() -> Process:
    """Host, number and start of this process."""
    return Process(socket.gethostname(), os.getpid(), _field(os.getpid(), START_FIELD))


def own_launcher() -> int:
    """The process that started this one; 0 where it has ended, or is that of the whole machine."""
    parent = os.getppid()
    return parent if parent != INIT else 0


def end_process(process: Process, launcher: int) -> str:
    """Kill another process, be it stopped or hung, if it is one of a launch; why not, or empty.

    Whoever is on the network can name a process in a heartbeat: only what the same launch started
    is ended.

    Args:
        process: as a heartbeat names it.
        launcher: number of the process that started it; 0: none.

    Raises:
        PermissionError: if it is of another user.
    """
    if process.host != socket.gethostname() or process.pid <= 0 or not process.started:
        return f"it is not on this machine, but on {process.host}"
    if process.started != _field(process.pid, START_FIELD):
        return "it is not there any more"
    is_own = launcher > 0 and _field(process.pid, PARENT_FIELD) == str(launcher)
    if not is_own or process.pid == os.getpid():
        return "the launch of this node did not start it"
    try:
        os.kill(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return "it is not there any more"
    return ""


def _field(pid: int, number: int) -> str:
    """One of what Linux says about a process; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[number]
