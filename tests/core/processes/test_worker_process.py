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

# It drops an object that ends the process that collects it, but for the one that made it.
DROPPED = """
import gc, os, sys
from conegrad_training.data.sample_stream import stream

class Owned:
    def __init__(self):
        self.me, self.owner = self, os.getpid()  # only a collection finds it

    def __del__(self):
        if os.getpid() != self.owner:
            os._exit(7)

class Batches:
    def __len__(self):
        return 3

    def __getitem__(self, step):
        own = [gc.isenabled()]
        own.append(own)
        del own
        return [gc.isenabled(), gc.collect() > 0]

gc.disable()  # until the fork, as one that comes late
Owned()
if sys.argv[1] == "enabled":
    gc.set_threshold(10**6)
    gc.enable()
print(*(batch for batches in stream(Batches(), 0, 2) for batch in batches), gc.isenabled())
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


@pytest.mark.parametrize(("collection", "is_enabled"), [("enabled", "True"), ("disabled", "False")])
def test_readers_leave_what_their_parent_dropped_and_collect_their_own(
    tmp_path, collection, is_enabled
):
    path = tmp_path / "parent.py"
    path.write_text(DROPPED)
    done = subprocess.run(
        [sys.executable, str(path), collection],
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == 6 * ["True"] + [is_enabled]
