"""Finds the files of a bag, and opens them."""

import re
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from zstandard import ZstdDecompressor, ZstdError

from conegrad_core.whole_file import left_by_killed
from conegrad_data.bags.mcap_file import McapFile
from conegrad_data.bags.metadata import METADATA, Metadata
from conegrad_data.bags.sqlite_file import SqliteFile
from conegrad_data.bags.storage import StorageFile, Warn
from conegrad_data.bags.types import BagError

MCAP, SQLITE, ZSTD = ".mcap", ".db3", ".zstd"
BAG_SUFFIXES = (MCAP, SQLITE)
SQLITE_LOGS = ("-wal", "-shm", "-journal")  # which SQLite keeps beside a file


def find_files(path: Path, declared: Metadata | None, warn: Warn) -> list[Path]:
    """The files of a bag in the order of their numbers; those that are missing are reported.

    Args:
        path: a folder, or one file.
        declared: what the folder declares, None if nothing.
        warn: called with what is missing, and with what is not declared.

    Raises:
        BagError: if there is none.
    """
    if path.is_file():
        if not is_storage(path):
            raise BagError(f"{path} is not a bag: expected a folder or a file *.mcap or *.db3")
        return [path]
    files = {file.name: file for file in path.iterdir() if is_storage(file)}
    # Beside a file that rosbag2 was compressing, or has decompressed, lies the same one.
    twins = [name for name in files if name.removesuffix(ZSTD) in files and name.endswith(ZSTD)]
    for name in twins:
        warn(f"{files.pop(name)} is left out: {name.removesuffix(ZSTD)} lies beside it")
    if declared is not None:
        _tell_missing(path, declared, files, warn)
    partial = [
        f"{file} ({file.stat().st_size / 1e6:.1f} MB) was left by a run that was killed"
        for file in left_by_killed(path)
    ]
    if not files:
        left = "".join(f"; {text}" for text in partial)
        raise BagError(f"{path} is not a bag: it holds no file *.mcap or *.db3{left}")
    for text in partial:
        warn(text)
    return sorted(files.values(), key=lambda file: _by_number(file.name))


def is_storage(path: Path) -> bool:
    """Whether a file could hold messages, by its name."""
    return path.name.removesuffix(ZSTD).endswith(BAG_SUFFIXES)


def is_bag_file(path: Path) -> bool:
    """Whether a file belongs to a bag, by its name."""
    return path.name == METADATA or is_storage(Path(path.name.removesuffix(_log_suffix(path))))


def _log_suffix(path: Path) -> str:
    return next((suffix for suffix in SQLITE_LOGS if path.name.endswith(suffix)), "")


def is_declared(file: Path, declared: Metadata) -> bool:
    """Whether a file, or the same one with or without compression, belongs to the bag."""
    return file.name.removesuffix(ZSTD) in {name.removesuffix(ZSTD) for name in declared.files}


def _tell_missing(path: Path, declared: Metadata, found: Iterable[str], warn: Warn) -> None:
    present = {name.removesuffix(ZSTD) for name in found}
    for name, count in declared.files.items():
        if name.removesuffix(ZSTD) not in present:
            lost = f"its {count} messages are" if count >= 0 else "its messages are"
            warn(f"{path / name} is listed in {METADATA} and missing: {lost} lost")


def _by_number(name: str) -> list[str | int]:
    """Sorts ``drive_10`` behind ``drive_9``."""
    parts = re.split(r"(\d+)", name)  # a number at every second place
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def open_file(path: Path, warn: Warn, stack: ExitStack) -> StorageFile:
    """Open one file of a bag, decompressed into a temporary folder where that is needed.

    Args:
        path: the file.
        warn: called with what cannot be read, now and later.
        stack: closes the file.

    Raises:
        BagError: if no message can be read.
        OSError: if it cannot be opened.
    """
    if path.suffix == ZSTD:
        return _open_compressed(path, warn, stack)
    file = McapFile(path, warn) if path.suffix == MCAP else SqliteFile(path, warn)
    stack.callback(file.close)
    return file


def _open_compressed(path: Path, warn: Warn, stack: ExitStack) -> StorageFile:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="conegrad-")))
    plain = _decompressed(path, folder, warn)

    def warn_of_given(text: str) -> None:
        warn(text.replace(str(plain), str(path)))

    try:
        return open_file(plain, warn_of_given, stack)
    except BagError as error:
        raise BagError(str(error).replace(str(plain), str(path))) from error


def _decompressed(path: Path, folder: Path, warn: Warn) -> Path:
    plain = folder / path.name.removesuffix(ZSTD)
    with path.open("rb") as source, plain.open("wb") as target:
        try:
            with ZstdDecompressor().stream_reader(source, read_across_frames=True) as stream:
                shutil.copyfileobj(stream, target)
        except ZstdError as error:
            warn(f"{path}: damaged or cut short ({error}); read up to there")
    return plain
