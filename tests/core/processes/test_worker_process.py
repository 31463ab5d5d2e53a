"""Workers end with the process that started them, even where it is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEADLINE = 60.0  # [s], generous: the machine may be busy

# Each prints the number of a worker, and then waits to be killed.
LOADER = """
import os
import numpy as np
from conegrad_training.data.sample_stream import stream

class Batches:
    def __len__(self):
        return 1000

    def __getitem__(self, step):  # more than a pipe holds: the worker waits to be rid of it
        return [np.zeros((1000, 1000)), os.getpid()]

batches = stream(Batches(), 0, 2)
for _ in range(2):
    print(next(batches)[1], flush=True)
input()
"""
POOL = """
import multiprocessing, os, sys
from concurrent.futures import ProcessPoolExecutor
from conegrad_core.processes.worker_process import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    pool = ProcessPoolExecutor(1, context, initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    input()
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks Linux who runs")
@pytest.mark.parametrize(
    ("script", "arguments", "workers"),
    [
        pytest.param(LOADER, [], 2, id="loader that is ahead"),
        pytest.param(POOL, ["fork"], 1, id="idle pool, fork"),
        pytest.param(POOL, ["spawn"], 1, id="idle pool, spawn"),
        pytest.param(POOL, ["forkserver"], 1, id="idle pool, forkserver"),
    ],
)
def test_no_worker_outlives_a_process_that_is_killed(tmp_path, script, arguments, workers):
    path = tmp_path / "parent.py"
    path.write_text(script)
    command = [sys.executable, str(path), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(workers)]
        assert all(map(is_running, pids))
        parent.send_signal(signal.SIGKILL)
        parent.wait(DEADLINE)
    deadline = time.monotonic() + DEADLINE
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"some of the processes {pids} still run"
        time.sleep(0.05)
