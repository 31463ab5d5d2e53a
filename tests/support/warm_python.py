"""Python programs of tests that start at once: forked from a process that has the libraries.

An import of torch takes seconds of processor time, and a hundred tests start programs that need it.
The fork server of ``multiprocessing`` imports the libraries once per worker of the test runner, but
no package of ours; each program is then a process of its own, with its own arguments, environment,
folder and files, as if Python had just been started. Tests of the start itself use ``subprocess``.
"""

import ctypes
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any

LIBRARIES = [
    "torch", "ultralytics", "cv2", "scipy.optimize", "scipy.spatial.transform", "safetensors.torch",
    "rosbags.rosbag2", "rosbags.typesys", "mcap", "yaml", "PIL.Image",
]  # fmt: skip
PR_SET_PDEATHSIG = 1  # of Linux: end with the fork server, which ends with the test runner
ROS = ["rclpy", "sensor_msgs.msg", "nav_msgs.msg", "diagnostic_msgs.msg", "lifecycle_msgs.srv"]


class WarmProcess:
    """A running program, with the methods of :class:`subprocess.Popen` that tests use.

    Attributes:
        args: the command.
        pid: of the process.
        stdout: what it prints, once it has ended; None if that goes elsewhere.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdout: IO[Any] | int | None = None,
        stderr: int | None = None,
        **_: object,
    ) -> None:
        """Start it.

        Args:
            command: ``[sys.executable, "-m", MODULE, ...]``, ``[sys.executable, "-c", CODE, ...]``
                or ``[sys.executable, FILE, ...]``.
            env: its environment; None: that of this process.
            cwd: its folder; None: that of this process.
            stdout: file, or ``subprocess.PIPE``: kept for :meth:`communicate`.
            stderr: ``subprocess.STDOUT``, ``subprocess.PIPE`` (kept likewise), or None.
        """
        self.args = [str(word) for word in command]
        self._kept: dict[str, IO[bytes]] = {}
        out = self._target("stdout", stdout)
        err = out if stderr == subprocess.STDOUT else self._target("stderr", stderr)
        self._process = _context().Process(  # type: ignore[attr-defined]
            target=_run,
            args=(self.args[1:], dict(os.environ if env is None else env), cwd or os.getcwd(),
                  out, err),
        )  # fmt: skip
        self._process.start()
        self.pid: int = self._process.pid

    def _target(self, name: str, given: IO[Any] | int | None) -> str:
        """Path of the file that a stream goes to; empty: where it goes already."""
        if given is None:
            return ""
        if given == subprocess.PIPE:
            self._kept[name] = tempfile.NamedTemporaryFile()  # noqa: SIM115
            return str(self._kept[name].name)
        if isinstance(given, int):
            raise ValueError(f"{name} is {given}, expected a file, PIPE or None")
        return str(given.name)

    @property
    def returncode(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Exit code, after its end.

        Raises:
            TimeoutExpired: if it still runs after the timeout [s].
        """
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed on each stream that is kept, after its end; as :meth:`wait`."""
        self.wait(timeout)
        said = {name: self.said(name) for name in ("stdout", "stderr")}
        return said["stdout"], said["stderr"]

    def said(self, name: str = "stdout") -> str:
        """What it has printed so far on a stream that is kept."""
        kept = self._kept.get(name)
        return Path(kept.name).read_text(errors="replace") if kept else ""

    def read_line(self, number: int = 0, timeout: float = 60.0) -> str:
        """One line of what it prints, waited for.

        Raises:
            TimeoutExpired: if there is none within the timeout [s].
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            lines = self.said().splitlines(keepends=True)
            if len(lines) > number and lines[number].endswith("\n"):
                return lines[number]
            time.sleep(0.01)
        raise subprocess.TimeoutExpired(self.args, timeout)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def finished(command: Sequence[str | Path], timeout: float, **options: Any) -> Any:
    """A program that has ended, as :func:`subprocess.run` with ``capture_output`` and ``text``."""
    process = WarmProcess(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        out, err = process.communicate(timeout)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode or 0, out, err)


def _context() -> multiprocessing.context.BaseContext:
    """The context of the fork server, which imports the libraries when it starts."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*LIBRARIES, *ROS])
    return context


def _run(
    words: list[str], environment: dict[str, str], folder: str | Path, out: str, err: str
) -> None:
    """In the new process: become the program."""
    os.setsid()
    multiprocessing.set_start_method(None, force=True)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for target, number in ((out, 1), (err, 2)):
        if target:
            file = os.open(target, os.O_WRONLY | os.O_APPEND)
            os.dup2(file, number)
            os.close(file)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    for name in [name for name in sys.modules if name.partition(".")[0].startswith("conegrad")]:
        del sys.modules[name]
    own = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    base = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]
    kind, *rest = words
    first = str(Path(kind).resolve().parent) if kind not in ("-m", "-c") else str(folder)
    sys.path[:] = [first, *own, *base]
    if kind == "-m":
        sys.argv = [rest[0], *rest[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), vars(main))
    else:
        sys.argv = [kind, *rest]
        runpy.run_path(kind, run_name="__main__")
