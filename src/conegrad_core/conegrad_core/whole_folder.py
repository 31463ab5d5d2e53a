"""Folders that appear whole or not at all."""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from conegrad_core.whole_file import PARTIAL


@contextlib.contextmanager
def whole_folder(folder: Path, *, replaces: bool = False) -> Iterator[Path]:
    """A folder to fill under a temporary name; at the end it is flushed to the disk and renamed.

    What processes that were killed have left under such names beside ``folder`` is removed.

    Args:
        folder: to make.
        replaces: an older one of this name is replaced; else one that exists is left as it is, and
            what was written is dropped.

    Raises:
        OSError: naming the folder, if it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_left_by_killed(folder.parent)
    with _locked_folder(folder) as temporary:
        yield temporary
        _flush_all(temporary)
        if replaces and folder.exists():
            with _locked_folder(folder) as former:
                folder.replace(former)
                temporary.replace(folder)
        elif not folder.exists():
            _rename(temporary, folder)
        _flush(folder.parent)


def remove_left_by_killed(parent: Path) -> None:
    """Remove the temporary folders whose processes are gone: they held a lock."""
    for path in parent.glob(f".*{PARTIAL}"):
        with contextlib.suppress(OSError):  # its process finished it, or another one removes it
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def _locked_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside another one that no other process removes; it is removed at last."""
    while True:
        temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}{PARTIAL}")
        temporary.mkdir()
        try:
            descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # taken for one of a process that was killed, before its lock
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            os.close(descriptor)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(descriptor)


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.replace(folder)
    except OSError:
        if not folder.exists():  # else another process was as fast
            raise


def _flush_all(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        _flush(path)
    _flush(folder)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
