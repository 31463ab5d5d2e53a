"""An executable of the graph, such as ``perception``, as a child process with its parameters."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from conegrad_nodes.middleware.domain import local_environment

STOP_TIMEOUT = 10.0  # [s] from SIGINT to SIGKILL
LOG_LINES = 15  # last lines that are shown when the process ends by itself
PR_SET_PDEATHSIG = 1  # of Linux's prctl


class GraphError(RuntimeError):
    """The live graph did not start, ended, or gave nothing; says why."""


class GraphProcess:
    """Runs nodes in one child process; use it in a ``with`` statement.

    Leaving the block stops the process with SIGINT, and kills it if that does not help, so that
    none is ever left behind.

    Attributes:
        pid: of the process.
    """

    def __init__(
        self,
        domain: int,
        parameters: Mapping[str, Any],
        *,
        node_parameters: Mapping[str, Mapping[str, Any]] | None = None,
        module: str = "conegrad_nodes.perception",
    ) -> None:
        """Start the process.

        Args:
            domain: its ROS domain; it is visible on this machine only.
            parameters: by full name, such as ``detector.engine``, for all nodes.
            node_parameters: further ones by name of the node; ``parameters`` take precedence.
            module: whose ``main`` is run; by default that of all three perception nodes.
        """
        self._name = module.rpartition(".")[2]
        self._folder = tempfile.TemporaryDirectory(prefix="conegrad-graph-")
        folder = Path(self._folder.name)
        arguments = [sys.executable, "-m", module, "--ros-args"]
        sections = {**(node_parameters or {}), "/**": parameters}
        for number, (name, values) in enumerate(sections.items()):
            path = folder / f"{number}.yaml"  # a file each: later ones take precedence
            path.write_text(yaml.safe_dump({name: {"ros__parameters": dict(values)}}))
            arguments += ["--params-file", str(path)]
        environment = {
            **local_environment(os.environ),
            "ROS_DOMAIN_ID": str(domain),
            "ROS_LOG_DIR": str(folder / "log"),
            "PYTHONUNBUFFERED": "1",
        }
        self._log = (folder / "output.txt").open("w+b")
        # A session of its own: Ctrl-C reaches this process alone, which then stops that one.
        self._process = subprocess.Popen(
            arguments,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
        self.pid = self._process.pid

    def __enter__(self) -> "GraphProcess":
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Do nothing while the process runs.

        Raises:
            GraphError: if it ended, with the last lines it printed.
        """
        code = self._process.poll()
        if code is not None:
            raise GraphError(f"the {self._name} process ended with code {code}:\n{self.log()}")

    def log(self) -> str:
        """The last lines that the process printed."""
        text = Path(self._log.name).read_text(errors="replace")
        return "\n".join(text.splitlines()[-LOG_LINES:])

    def stop(self) -> None:
        """End the process and remove its files; twice does no harm."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._log.close()
        self._folder.cleanup()


def _die_with_parent() -> None:
    """Ask Linux to stop this process when the one that started it is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
