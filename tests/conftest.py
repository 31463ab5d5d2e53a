"""Fixtures of all tests: quiet threads, and one isolated ROS 2 context per test."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest
from warm_python import WarmProcess

# Before torch and rclpy are imported anywhere: they read these once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("YOLO_OFFLINE", "true")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts programs in the background like that, and programs of tests would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

HIGHEST_DOMAIN = 101  # above it the ports of Fast DDS meet the ephemeral ports of Linux


def import_ros(*modules: str) -> Any:
    """rclpy, after making sure of it and of further modules; else the test is skipped."""
    for module in modules:
        pytest.importorskip(module)
    return pytest.importorskip("rclpy")


def lock_domain() -> tuple[int, IO[str]]:
    """A ROS domain that no other test of any process on this machine uses, and its lock."""
    for domain in range(1, HIGHEST_DOMAIN + 1):
        path = Path(tempfile.gettempdir()) / f"conegrad-test-domain-{domain}.lock"
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
        else:
            return domain, lock
    raise RuntimeError(f"all ROS domains from 1 to {HIGHEST_DOMAIN} are taken by other tests")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu") is not None:
        import torch

        if not torch.cuda.is_available():
            pytest.skip("torch finds no CUDA device")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Say how a worker process of pytest-xdist ended that died, which pytest-xdist does not."""
    if error is None:
        return
    process = node.gateway._io.popen
    try:
        end = f"ended with exit status {process.wait(30)}"  # -9: killed by signal 9
    except subprocess.TimeoutExpired:
        end = "still runs, but without a connection"
    sys.__stderr__.write(f"\nworker process {process.pid} ({node.gateway.id}) {end}\n")


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str) -> None:
    """Name the test that ran while its worker process died, also where it is run again."""
    sys.__stderr__.write(f"\nits worker process died during {crashitem}\n")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a failure when it happens: a run that is broken off later ends without its summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        lines = report.longreprtext.splitlines()
        said = [line for line in lines if line.startswith("E ")] or lines[-1:]
        text = "\n".join([f"\nfailed: {report.nodeid} ({report.when})", *said[:20], ""])
        sys.__stderr__.write(text)


@pytest.fixture(scope="session", autouse=True)
def ros_log_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the ROS logs of this session, instead of the home folder."""
    folder = tmp_path_factory.mktemp("ros_log")
    before = os.environ.get("ROS_LOG_DIR")
    os.environ["ROS_LOG_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["ROS_LOG_DIR"]
    else:
        os.environ["ROS_LOG_DIR"] = before


@pytest.fixture(scope="session", autouse=True)
def export_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Cache of exported networks of this session, instead of the home folder."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONEGRAD_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def warm_graphs() -> Iterator[None]:
    """Live graphs that the product starts are forked, see :mod:`warm_python`."""
    try:
        from conegrad_nodes.playback import graph_process
    except ImportError:
        yield
        return
    stand_in = SimpleNamespace(**{**vars(subprocess), "Popen": WarmProcess})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_process, "subprocess", stand_in)
        yield


@pytest.fixture(autouse=True)
def systems_store(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Store of recorded systems of this test alone, instead of the working folder."""
    folder = tmp_path_factory.getbasetemp() / f"systems-{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("CONEGRAD_SYSTEMS", str(folder))
    return folder


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """ROS domain of this test alone, also in ROS_DOMAIN_ID for the programs it starts."""
    number, lock = lock_domain()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    yield number
    lock.close()


@pytest.fixture
def context(domain: int) -> Iterator[Any]:
    """An initialised rclpy.Context that hears no other test."""
    rclpy = import_ros()
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    yield context
    rclpy.try_shutdown(context=context)
