"""The output folder of a run: one process at a time, and none is left that holds nothing."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from conegrad_core.whole_file import left_by_killed
from conegrad_data.errors import ReplayError

logger = logging.getLogger(__name__)

LOCK = ".lock"


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make a folder and keep other trainings out of it; a process that is killed frees it.

    Folders that were made and are empty at the end are removed, and so is what a killed process
    was writing there.

    Raises:
        ReplayError: if another process trains there.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / LOCK).open("a") as file:
            _lock(file, folder)
            _clear(folder)
            try:
                yield
            finally:
                (folder / LOCK).unlink(missing_ok=True)
    finally:
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()


def _clear(folder: Path) -> None:
    """Remove, by name, what a killed training was writing: nothing can be read of it."""
    for path in left_by_killed(folder):
        size = path.stat().st_size / 1e6
        logger.warning("%s (%.1f MB) was left by a training that was killed: removed", path, size)
        path.unlink(missing_ok=True)


def _lock(file: IO[str], folder: Path) -> None:
    try:
        # Not flock, which processes that read samples would inherit and hold on to.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise ReplayError(
            f"another process trains in {folder}: wait for it, or choose another output folder"
        ) from error
    except OSError as error:
        logger.warning("%s cannot be locked (%s): start no second training there", folder, error)
