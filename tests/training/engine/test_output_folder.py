import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from warm_python import WarmProcess

from conegrad_data.errors import ReplayError
from conegrad_training.engine.output_folder import LOCK, lock_folder

# Trains for ever, with a process that reads samples, which is left behind when it is killed.
TRAINING = """
import os, sys, time
from pathlib import Path
from conegrad_training.engine.output_folder import lock_folder

with lock_folder(Path(sys.argv[1])):
    reader = os.fork()
    if reader:
        print(reader, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def trained(tmp_path: Path):
    """A folder in which another process trains, that process, and one that it started."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = WarmProcess(
        [sys.executable, "-c", TRAINING, str(tmp_path / "run")],
        env=environment, stdout=subprocess.PIPE,
    )  # fmt: skip
    reader = int(process.read_line())
    yield tmp_path / "run", process
    os.kill(reader, signal.SIGKILL)
    process.kill()
    process.communicate()


def test_a_folder_where_another_process_trains_is_refused_until_that_is_killed(trained):
    folder, process = trained
    with (
        pytest.raises(ReplayError, match=f"another process trains in {folder}"),
        lock_folder(folder),
    ):
        pass
    process.kill()
    process.wait()
    with lock_folder(folder):
        (folder / "checkpoint.pt").touch()
    assert [path.name for path in folder.iterdir()] == ["checkpoint.pt"]


def test_folders_that_were_made_and_hold_nothing_are_removed_and_no_others(tmp_path: Path):
    with lock_folder(tmp_path / "runs" / "first"):
        assert (tmp_path / "runs" / "first" / LOCK).exists()
    assert list(tmp_path.iterdir()) == []
    with lock_folder(tmp_path):
        pass
    assert tmp_path.exists()


def test_what_a_killed_training_was_writing_is_named_and_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    half = tmp_path / "checkpoint.pt.77.partial"
    half.write_bytes(bytes(1_000_000))
    with lock_folder(tmp_path):
        assert not half.exists()
    assert f"{half} (1.0 MB) was left by a training that was killed" in caplog.text
