"""Cache of exported networks: one export per weights, settings and software version."""

import hashlib
import json
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

from torch import Tensor, nn

from conegrad_core.engines.errors import EngineError

logger = logging.getLogger(__name__)

DIGESTS = "digests.json"  # beside the files of an export
SCRATCH = ".export-"  # begins the name of a folder in which an export is being written
LEFT_AFTER = 3600.0  # [s] without change, after which its writer was killed
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
UNUSABLE = (OSError, ValueError, RuntimeError)  # of files, of runtimes, of exporters

E = TypeVar("E")


class Export(NamedTuple):
    """An exported network.

    Attributes:
        name: of its file; another one may lie beside it.
        key: that no other entry has: kind, settings, software and weights.
        write: writes it to a path of that name.
    """

    name: str
    key: str
    write: Callable[[Path], None]


def cache_folder() -> Path:
    """``$CONEGRAD_CACHE``, else ``~/.cache/conegrad``."""
    return Path(os.environ.get("CONEGRAD_CACHE") or Path.home() / ".cache" / "conegrad")


def describe_export(
    network: nn.Module, write: Callable[[Path], None], name: str, *, key: str, packages: list[str]
) -> Export:
    """An export by what decides its content.

    Args:
        network: its weights are part of the key.
        write: writes the export to the path it gets, a file called ``name``.
        name: of the file.
        key: settings of the export, and a number that is raised when the graph changes.
        packages: whose versions are part of the key.
    """
    software = "-".join(version(package) for package in packages)
    return Export(name, f"{name}-{key}-{software}-{weights_hash(network)}", write)


def open_export(export: Export, open_file: Callable[[Path], E]) -> E:
    """Open an exported network, out of the cache if it is there and whole.

    A file that does not match its digest, or cannot be opened, is exported anew. Where the cache
    cannot be used, such as on a full disk, the export is made for this process alone. Safe with
    several processes: each exports into a folder of its own, the first rename wins.

    Args:
        export: written on the first call.
        open_file: opens its file, which may be gone afterwards; raises ValueError or RuntimeError
            if it is not readable.

    Raises:
        EngineError: of ``open_file``, or if the network can be exported nowhere.
    """
    try:
        return _open_cached(export, open_file, private_folder())
    except EngineError:
        raise
    except UNUSABLE as error:
        logger.warning(
            "the cache of exported networks in %s cannot be used (%s): %s is exported for this "
            "process alone", cache_folder(), _line(error), export.name,
        )  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix="conegrad-") as scratch:
            path = Path(scratch) / export.name
            export.write(path)
            return open_file(path)
    except EngineError:
        raise
    except UNUSABLE as error:
        raise EngineError(
            f"{export.name} can be exported nowhere ({_line(error)}): make room on the disk, or "
            "take engine 'torch'"
        ) from error


def private_folder() -> Path:
    """The folder of this user's exports, which nobody else may write to; it is made.

    What others could have written to it is not used: it is emptied.

    Raises:
        OSError: if it cannot be made, or belongs to somebody else.
    """
    folder = cache_folder() / f"engines-{os.geteuid()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} is not a folder of this user")
    if found.st_mode & OTHERS:
        folder.chmod(0o700)
        if folder.lstat().st_mode & OTHERS:
            raise PermissionError(f"{folder} cannot be closed to others on this file system")
    if found.st_mode & MAY_WRITE:
        logger.warning("%s could be written to by others: it is emptied", folder)
        for path in folder.iterdir():
            _remove(path)
    return folder


def _open_cached(export: Export, open_file: Callable[[Path], E], folder: Path) -> E:
    _sweep(folder)
    target = folder / hashlib.sha256(export.key.encode()).hexdigest()[:24]
    if _is_whole(target, export):
        try:
            return open_file(target / export.name)
        except EngineError:
            raise
        except UNUSABLE as error:
            logger.warning("%s cannot be opened (%s): exporting it anew", target, _line(error))
            _remove(target)
    elif target.exists():
        logger.warning("%s does not match its digests: exporting it anew", target)
    _write(target, export)
    return open_file(target / export.name)


def _write(target: Path, export: Export) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=SCRATCH) as scratch:
        made = Path(scratch) / "export"
        made.mkdir()
        export.write(made / export.name)
        files = {path.name: _digest(path) for path in sorted(made.iterdir())}
        (made / DIGESTS).write_text(json.dumps({"key": export.key, "files": files}))
        if target.exists() and not _is_whole(target, export):
            target.rename(Path(scratch) / "damaged")
        try:
            made.rename(target)
        except OSError:
            if not _is_whole(target, export):  # not a race that another process won
                raise


def _is_whole(target: Path, export: Export) -> bool:
    try:
        content = json.loads((target / DIGESTS).read_text())
        files = content["files"]
        return (
            content["key"] == export.key
            and export.name in files
            and all(_digest(target / name) == digest for name, digest in files.items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _sweep(folder: Path) -> None:
    """Remove what killed processes were writing."""
    for path in folder.glob(f"{SCRATCH}*"):
        try:
            is_left = time.time() - path.stat().st_mtime > LEFT_AFTER
        except FileNotFoundError:  # its writer has finished just now
            continue
        if is_left:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of every tensor of the network, names included."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
