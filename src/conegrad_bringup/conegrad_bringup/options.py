"""Options that several sub-commands share."""

import argparse
import contextlib
import dataclasses
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from conegrad_core.settings import Config, SettingError
from conegrad_core.settings.assignments import read_assignments
from conegrad_core.settings.mapping import Location
from conegrad_core.settings.mapping import read_config as config_from_mapping
from conegrad_training.engine.progress_display import shown

C = TypeVar("C", bound=Config)
T = TypeVar("T")


def add_config(
    parser: argparse.ArgumentParser, config_class: type[Config], leave_out: Sequence[str] = ()
) -> None:
    """One ``--option`` per field of a settings dataclass of plain values or tuples of numbers.

    Args:
        parser: gets the options.
        config_class: the settings.
        leave_out: fields without an option: they keep their defaults.
    """
    for field in dataclasses.fields(config_class):
        if field.name in leave_out:
            continue
        described = f"{field.metadata['description']} (default: {field.default!r})"
        option = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(
                option, action=argparse.BooleanOptionalAction, default=field.default, help=described
            )
            continue
        if isinstance(field.default, tuple):
            parser.add_argument(
                option,
                type=float,
                nargs=len(field.default),
                default=field.default,
                metavar="NUMBER",
                help=described,
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
        ValueError: if a value is out of bounds, naming the option.
    """
    names = [f.name for f in dataclasses.fields(config_class) if hasattr(options, f.name)]
    values = {name: getattr(options, name) for name in names}
    # argparse gives a list where a tuple is meant.
    plain = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
    with refused_by_option():
        return config_class(**plain)


@contextlib.contextmanager
def refused_by_option() -> Iterator[None]:
    """Name a setting that is refused inside by its option, which is what was typed.

    Raises:
        ValueError: for the setting.
    """
    try:
        yield
    except SettingError as error:
        raise ValueError(error.by_option) from error


def named_config(config_class: type[C], words: Sequence[str], option: str) -> C:
    """Settings of ``name=value`` words.

    Raises:
        ValueError: if a word has another form, names no setting, or a value is out of bounds.
    """
    values = read_assignments(words, option)
    return config_from_mapping(config_class, values, Location(label=f"{option} "))


def fresh_folder(folder: Path, marker: str, *, force: bool) -> None:
    """Make a folder, empty but for the file ``marker``; an older one is cleared if it holds that.

    Args:
        folder: to make.
        marker: name of the file that says who may clear the folder.
        force: clear an older one that holds more than the marker.

    Raises:
        ValueError: if it holds something else, or more than the marker without ``force``.
    """
    found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if found and marker not in found:
        raise ValueError(
            f"{folder} is not empty and was not made by this command, which leaves {marker} there: "
            "choose another one"
        )
    if found - {marker} and not force:
        raise ValueError(
            f"{folder} holds an earlier drive: choose another folder, or --force to replace it"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / marker).touch()


class Bar:
    """Shows progress: a bar on a terminal, elsewhere a line now and then."""

    def __init__(self, title: str) -> None:
        self._title = title

    def __call__(self, items: Iterable[T], total: int) -> Iterable[T]:
        """The same items, counted."""
        return shown(items, total, self._title, unit_scale=True)
