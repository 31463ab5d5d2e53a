"""The bag that a command creates, and the older one that it may replace."""

import argparse
import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from conegrad_bringup.bag_options import FORCE
from conegrad_data.bags.bag_files import is_bag_file


def add_output(parser: argparse.ArgumentParser) -> None:
    """The bag to create, and whether it may replace an older one."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="bag to write")
    parser.add_argument("--force", action="store_true", help=FORCE)


@contextlib.contextmanager
def output_bag(options: argparse.Namespace, source: Path | None = None) -> Iterator[Path]:
    """The bag to create. With ``--force`` an older one in its place waits beside it meanwhile.

    It comes back if an error leaves the block, or if nothing new was begun; else it is removed.
    After Ctrl-C a new bag of ``conegrad perceive`` stays, which holds what came until then.

    Args:
        options: of a command with :func:`add_output`.
        source: what the command reads.

    Raises:
        ValueError: if it exists and ``--force`` is not given, or if something else than a bag
            would have to be replaced, or the source, or if another older bag still waits.
    """
    path: Path = options.output
    if path.exists() and not options.force:
        raise ValueError(f"{path} exists already, not overwriting: --force replaces it")
    if not path.exists():
        yield path
        return
    older = path.resolve()
    aside = older.with_name(f"{older.name}.older")
    _check_replaceable(path, source)
    if aside.exists():
        raise ValueError(
            f"{aside} is left of a run that was killed: remove it, or put it back as {path}"
        )
    older.rename(aside)
    try:
        yield path
    except Exception:
        shutil.rmtree(path, ignore_errors=True)
        raise
    finally:
        if path.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(older)


def _check_replaceable(path: Path, source: Path | None) -> None:
    if source is not None and path.resolve() in (source.resolve(), *source.resolve().parents):
        raise ValueError(f"--output {path} is what is read: not replaced")
    files = list(path.iterdir()) if path.is_dir() else []
    if not files or not all(is_bag_file(file) for file in files):
        raise ValueError(f"{path} is not a bag: not replaced")
