"""Options of a command line that are made from the fields of settings."""

import argparse
import dataclasses
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conegrad_core.settings.declaration import Config
from conegrad_core.settings.groups import TOP, Given
from conegrad_core.settings.mapping import Location
from conegrad_core.settings.names import aliases_of, option_of, warn_renamed
from conegrad_core.settings.values import (
    ValueKindError,
    entry_kinds,
    kinds_of,
    read_text,
    value_kind,
)

GIVEN = "given_settings"  # attribute of the parsed options: Given by group and field
METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def add_options(
    parser: argparse.ArgumentParser,
    defaults: Config,
    group: str = TOP,
    leave_out: Sequence[str] = (),
) -> None:
    """One option per field of some settings, and one for each earlier name."""
    for field in dataclasses.fields(defaults):
        if field.name in leave_out:
            continue
        default = getattr(defaults, field.name)
        described = field.metadata["description"].replace("%", "%%")
        described += shown_default(default, described)
        option = option_of_field(field)
        short = field.metadata.get("short", "")
        kind, _ = value_kind(kinds_of(type(defaults))[field.name])
        target = (group, field.name)
        _add(parser, [*filter(None, [short]), option], target, kind, field, described)
        for alias in aliases_of(field):
            _add(parser, [option_of(alias)], target, kind, field, argparse.SUPPRESS, option)


def shown_default(default: Any, described: str) -> str:
    """The default as it ends a help text, unless that tells it already."""
    if default in (None, "", ()):
        is_told = any(word in described for word in ("default:", "empty:", "none:"))
        return "" if is_told else " (default: none)"
    if isinstance(default, bool):
        return f" (default: {'on' if default else 'off'})"
    if isinstance(default, tuple):
        default = " ".join(map(str, default))
    return f" (default: {str(default).replace('%', '%%')})"


def _add(
    parser: argparse.ArgumentParser,
    options: Sequence[str],
    target: tuple[str, str],
    kind: Any,
    field: "dataclasses.Field[Any]",
    described: str,
    renamed: str = "",
) -> None:
    """Add an option by its names; ``renamed`` is the one that replaces it."""
    if kind is bool:
        parser.add_argument(
            *options, action=_Switch, target=target, renamed=renamed, help=described
        )
        return
    is_repeated = field.metadata.get("is_repeated", False)
    nargs: int | str | None = None
    entry = kind
    if typing.get_origin(kind) is tuple:
        entry, length = entry_kinds(kind)
        nargs = None if is_repeated else length or "+"
    parser.add_argument(
        *options,
        action=_Store,
        target=target,
        entry=entry,
        is_repeated=is_repeated,
        renamed=renamed,
        nargs=nargs,
        metavar=field.metadata.get("metavar") or METAVARS[entry],
        help=described,
    )


def option_of_field(field: "dataclasses.Field[Any]") -> str:
    """The option that gives a field."""
    return field.metadata.get("option") or option_of(field.name)


class _Store(argparse.Action):
    """Keeps the value of a setting with the option that gave it."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        target: tuple[str, str],
        entry: Any,
        is_repeated: bool,
        renamed: str,
        **rest: Any,
    ) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, **rest)
        self._target, self._entry = target, entry
        self._is_repeated, self._renamed = is_repeated, renamed

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Convert and keep; a wrong word ends the program with its usage."""
        words = values if isinstance(values, list) else [values]
        try:
            read = tuple(read_text(self._entry, word) for word in words)
        except ValueKindError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        value = read if isinstance(values, list) or self._is_repeated else read[0]
        if self._is_repeated:
            earlier = getattr(namespace, GIVEN, {}).get(self._target)
            value = (*earlier.value, *read) if earlier else read
        _keep(namespace, self._target, value, self.option_strings[-1], self._renamed)


class _Switch(argparse.BooleanOptionalAction):
    """Likewise for a setting that is true or false."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        target: tuple[str, str],
        renamed: str,
        help: str | None = None,
    ) -> None:
        super().__init__(option_strings, dest, default=argparse.SUPPRESS, help=help)
        self._target, self._renamed = target, renamed

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep whether it is on."""
        is_on = not str(option_string).startswith("--no-")
        _keep(namespace, self._target, is_on, self.option_strings[0], self._renamed)


def _keep(
    namespace: argparse.Namespace, target: tuple[str, str], value: Any, option: str, renamed: str
) -> None:
    if renamed:
        warn_renamed(option, renamed)
    given = {
        **getattr(namespace, GIVEN, {}),
        target: Given(value, Location(keys=(renamed or option,))),
    }
    setattr(namespace, GIVEN, given)
