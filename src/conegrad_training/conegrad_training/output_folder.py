"""The output folder of a run: one process at a time, and none is left that holds nothing."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from conegrad_training.errors import ReplayError

logger = logging.getLogger(__name__)

LOCK = ".lock"


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make a folder and keep other trainings out of it; a process that is killed frees it.

    Folders that were made and are empty at the end are removed.

    Raises:
        ReplayError: if another process trains there.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / LOCK).open("a") as file:
            _lock(file, folder)
            try:
                yield
            finally:
                (folder / LOCK).unlink(missing_ok=True)
    finally:
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()


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
