"""Files that are written whole or not at all."""

import os
from pathlib import Path

PARTIAL = ".partial"  # ends the name of a file that is being written


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, flush it to the disk, and rename it.

    Whenever the process is killed or the disk is full, ``path`` holds what it held before, or all
    of ``content``. What could not be written is removed.

    Raises:
        OSError: naming the file, if it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def left_by_killed(folder: Path) -> list[Path]:
    """Files of a folder that a killed process was writing; the caller knows that none does now."""
    return sorted(path for path in folder.glob(f"*{PARTIAL}") if path.is_file())
