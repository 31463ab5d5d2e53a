"""The registry of a real MLflow server over a real PostgreSQL."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lidar_system import lidar_alone, recorded

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.reference import resolve
from conegrad_core.system_record.store import SystemStore
from conegrad_training.tracking.catalogue import SystemCatalogue
from conegrad_training.tracking.registry import SystemRegistry
from conegrad_training.tracking.tracking import TrackingConfig, make_client

LEAN = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
START_TIMEOUT = 150.0  # [s], on a machine that is busy
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def programs() -> Path:
    """Folder of the programs of PostgreSQL; the test is skipped where they are missing."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed (pip install 'psycopg[binary]')")
    found = shutil.which("initdb")
    folders = [*DEBIAN, *([Path(found).parent] if found else [])]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("initdb and postgres are not installed (apt-get install postgresql)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(*words: object, ended_by: int, **options) -> Iterator[None]:
    """A program with all processes that it starts, for as long as the context lasts."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = subprocess.Popen(list(map(str, words)), start_new_session=True, **quiet, **options)
    try:
        yield
    finally:
        os.killpg(started.pid, ended_by)
        started.wait()


@pytest.fixture
def server() -> Iterator[str]:
    """Address of an MLflow server whose store is a PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="conegrad-"))  # other users may enter it
    owner = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        owner = {"user": "nobody", "cwd": folder}
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    data, port, address = folder / "data", free_port(), f"127.0.0.1:{free_port()}"
    words = [programs() / "initdb", "-D", data, "-A", "trust", "-U", "conegrad", "--no-sync"]
    subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL, **owner)
    database = [programs() / "postgres", "-D", data, "-p", port, "-k", folder, "-h", "127.0.0.1"]
    uri = f"postgresql://conegrad@127.0.0.1:{port}/postgres"
    host, _, mlflow_port = address.partition(":")
    mlflow = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--workers", 1]
    mlflow += ["--artifacts-destination", folder / "artifacts", "--host", host]
    own = Path(tempfile.mkdtemp(prefix="conegrad-"))
    with process(*database, "-F", ended_by=signal.SIGQUIT, **owner):
        wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        with process(*mlflow, "--port", mlflow_port, ended_by=signal.SIGKILL, cwd=own, env=LEAN):
            wait_for(lambda: urllib.request.urlopen(f"http://{address}/health", timeout=5).close())
            yield f"http://{address}"
    shutil.rmtree(folder)
    shutil.rmtree(own)


def wait_for(connect) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return connect()
        except (OSError, urllib.error.URLError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def register_in(tracking: TrackingConfig) -> Callable[[list[Path]], None]:
    def register(folders: list[Path]) -> None:
        registry = SystemRegistry(tracking)
        for folder in folders:
            registry.register(resolve(folder))

    return register


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_server_over_postgresql_keeps_what_two_writers_register(server, tmp_path):
    tracking, pipeline = TrackingConfig(tracking_uri=server), lidar_alone()
    offline = SystemCatalogue(TrackingConfig(tracking=False))
    folders = [recorded(tmp_path / str(n), pipeline, note=str(n)).folder for n in range(4)]
    assert offline.log(folders[0]).number == 1

    online = SystemCatalogue(tracking)
    version = online.log(folders[1])  # the earlier one is registered ahead of it
    assert (version.number, version.is_registered) == (2, True)
    ids = {1: resolve(folders[0]).id, 2: version.id}
    assert SystemRegistry(tracking).ids("car") == ids

    with ThreadPoolExecutor(2) as writers:  # two connections to the server at once
        list(writers.map(register_in(tracking), [folders[2:3], folders[3:]]))
    found = SystemRegistry(tracking).ids("car")
    assert sorted(found) == [1, 2, 3, 4]
    assert set(found.values()) == {resolve(folder).id for folder in folders}

    online.set_alias("car", "champion", 2)
    elsewhere = SystemCatalogue(tracking, SystemStore(tmp_path / "elsewhere"))
    assert elsewhere.fetch("car", alias="champion").id == version.id
    assert elsewhere.store.aliased("car", "champion").number == 2
    assert resolve("car@champion", elsewhere.store).description.note == "1"
    with pytest.raises(RecordError, match=f"MLflow at {server}: "):
        elsewhere.fetch("car", 9)
    model = make_client(server).get_model_version("car", "2")
    assert model.tags["pipeline"] == "lidar_alone"
