"""Options that several sub-commands share."""

import argparse
import dataclasses
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from conegrad_core.config import Config

C = TypeVar("C", bound=Config)
T = TypeVar("T")

BAG_SUFFIXES = (".mcap", ".db3")
METADATA = "metadata.yaml"


def add_config(parser: argparse.ArgumentParser, config_class: type[Config]) -> None:
    """One ``--option`` per field of a settings dataclass of plain values."""
    for field in dataclasses.fields(config_class):
        described = f"{field.metadata['description']} (default: {field.default!r})"
        option = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(
                option, action=argparse.BooleanOptionalAction, default=field.default, help=described
            )
            continue
        parser.add_argument(
            option,
            type=type(field.default),
            default=field.default,
            metavar=type(field.default).__name__.upper(),
            help=described.replace("%", "%%"),
        )


def read_config(options: argparse.Namespace, config_class: type[C]) -> C:
    """The settings dataclass of parsed options.

    Raises:
        ValueError: if a value is out of bounds.
    """
    fields = dataclasses.fields(config_class)
    return config_class(**{field.name: getattr(options, field.name) for field in fields})


def named_values(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """Values by name of ``name=value`` words; values are read as YAML.

    Raises:
        ValueError: if a word has another form.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ValueError(f"{option} {pair!r}: expected name=value")
        values[name] = yaml.safe_load(value)
    return values


def add_output(parser: argparse.ArgumentParser) -> None:
    """The bag to create, and whether it may replace an older one."""
    parser.add_argument("-o", "--output", type=Path, required=True, help="bag to create")
    parser.add_argument("--force", action="store_true", help="replace the bag if it exists")


def output_of(options: argparse.Namespace) -> Path:
    """The bag to create; with ``--force``, an older bag in its place is removed.

    Raises:
        ValueError: if something else than a bag would have to be removed.
    """
    path: Path = options.output
    if options.force and path.exists():
        files = list(path.iterdir()) if path.is_dir() else []
        if not files or any(f.suffix not in BAG_SUFFIXES and f.name != METADATA for f in files):
            raise ValueError(f"{path} is no bag: not replaced")
        shutil.rmtree(path)
    return path


class Bar:
    """Shows progress on a terminal; elsewhere it stays quiet."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __call__(self, items: Iterable[T], total: int) -> Iterable[T]:
        """The same items, counted."""
        from tqdm import tqdm

        # None: no bar where the output is no terminal.
        bar: Iterable[T] = tqdm(
            items, desc=self._title, total=total, disable=None, mininterval=0.2, unit_scale=True
        )
        return bar
