"""Settings of a command: declared in groups, given by files, words and options.

Each field of a flat group is an option; ``--config FILE`` takes any setting from a YAML file with a
section per group, ``--set GROUP.NAME=VALUE`` a single one. Options replace ``--set``, which
replaces the file. ``--print-config`` asks for such a file.
"""

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from conegrad_core.settings.assignments import read_assignments
from conegrad_core.settings.declaration import Config
from conegrad_core.settings.groups import (
    TOP,
    Given,
    GivenFields,
    Source,
    given_fields,
    make_groups,
)
from conegrad_core.settings.mapping import Location, ReadError, read_fields
from conegrad_core.settings.names import fields_by_name, unknown_fault
from conegrad_core.settings.options import GIVEN, add_options, option_of_field
from conegrad_core.settings.values import ValueKindError, read_value
from conegrad_core.settings.yaml_file import read_yaml_file, yaml_value

C = TypeVar("C", bound=Config)
D = TypeVar("D")  # a dataclass with a field per group


class Group(NamedTuple):
    """Settings of a command.

    Attributes:
        defaults: of the command.
        words: option that takes ``NAME=VALUE`` words, in place of an option per field.
        leave_out: fields that the command does not offer: they keep their defaults.
        is_flat: each field is an option.
    """

    defaults: Config
    words: str = ""
    leave_out: tuple[str, ...] = ()
    is_flat: bool = True


class NodeParameters(NamedTuple):
    """Parameters that a command passes on to nodes.

    Attributes:
        option: that takes ``NAME=VALUE`` words.
        example: of such a word.
        kinds: kind of each parameter by its full name, from the settings of the command by group.
    """

    option: str
    example: str
    kinds: Callable[[Mapping[str, Config]], Mapping[str, Any]]


class EffectiveSettings:
    """Settings of one run of a command.

    Attributes:
        parameters: of nodes, by the group that they stand in.
    """

    def __init__(
        self,
        declared: Mapping[str, Group],
        groups: Mapping[str, Config],
        parameters: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._declared, self._groups = declared, groups
        self.parameters = parameters

    def __getitem__(self, config_class: type[C]) -> C:
        """The group of a settings dataclass."""
        return next(g for g in self._groups.values() if type(g) is config_class)

    def gathered(self, container: type[D]) -> D:
        """The groups that a dataclass of groups has a field for, in one."""
        names = [field.name for field in dataclasses.fields(container)]  # type: ignore[arg-type]
        return container(**{name: self._groups[name] for name in names})

    def as_yaml(self, title: str) -> str:
        """The settings as a file that ``--config`` takes, with their descriptions."""
        lines = [f"# {title}"]
        for name, config in self._groups.items():
            lines += [f"{name}:"] if name != TOP else []
            indent = "" if name == TOP else "  "
            for field in dataclasses.fields(config):
                if field.name not in self._declared[name].leave_out:
                    value = yaml_value(getattr(config, field.name))
                    described = field.metadata["description"]
                    lines.append(f"{indent}{field.name}: {value}  # {described}")
        for name, parameters in self.parameters.items():
            lines += [f"{name}:"] if name != TOP and parameters else []
            indent = "" if name == TOP else "  "
            lines += [f"{indent}{key}: {yaml_value(value)}" for key, value in parameters.items()]
        return "\n".join([*lines, ""])


class CommandSettings:
    """All settings of a command, and how its command line gives them."""

    def __init__(
        self,
        groups: Mapping[str, Group | Config] | None = None,
        parameters: Mapping[str, NodeParameters] | None = None,
        current: Callable[[Mapping[Any, Any]], Mapping[Any, Any]] = lambda content: content,
    ) -> None:
        """Declare the settings.

        Args:
            groups: by name; the one named :data:`~conegrad_core.settings.groups.TOP` has no
                section in a file. Settings alone are a flat group.
            parameters: of nodes, by name likewise.
            current: content of a file under the names of today.
        """
        self.groups = {
            name: group if isinstance(group, Group) else Group(group)
            for name, group in (groups or {}).items()
        }
        self._parameters = dict(parameters or {})
        self._current = current

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options."""
        for name, group in self.groups.items():
            if group.words:
                parser.add_argument(
                    group.words,
                    nargs="+",
                    action="extend",
                    default=[],
                    metavar="NAME=VALUE",
                    help=f"settings of the group {name}, as in --print-config (default: none)",
                )
            elif group.is_flat:
                add_options(parser, group.defaults, name, group.leave_out)
        parser.add_argument(
            "--config",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="settings (YAML) that options replace; repeatable (default: none)",
        )
        own = self._parameters.get(TOP)
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting by its name in --config"
            + (f", or a parameter of the nodes, such as {own.example}" if own else "")
            + "; repeatable (default: none)",
        )
        for parameters in self._parameters.values():
            if parameters.option != "--set":
                parser.add_argument(
                    parameters.option,
                    action="append",
                    default=[],
                    metavar="NAME=VALUE",
                    help=f"parameter such as {parameters.example}; repeatable (default: none)",
                )
        parser.add_argument(
            "--print-config",
            action="store_true",
            help="print the settings as a file for --config, and do nothing else",
        )

    def read(self, options: argparse.Namespace) -> EffectiveSettings:
        """The settings of parsed options.

        Raises:
            FileNotFoundError: if there is no file of ``--config``.
            ValueError: for a name that does not exist or a value that is refused; names the file
                and its line, or the option.
        """
        given: GivenFields = {}
        of_nodes: list[tuple[str, Source]] = []
        for source in self._sources(options):
            for name, entries in self._split(source).items():
                if name is None:
                    given |= given_fields(self._defaults, Source(entries, source.at))
                else:
                    of_nodes.append((name, Source(entries, source.at)))
        for name, group in self.groups.items():
            if group.words:
                given |= _given_words(name, group, options)
        given |= getattr(options, GIVEN, {})
        for (group_name, field), entry in given.items():
            if field in self.groups[group_name].leave_out:
                raise entry.at.refusal("is not a setting of this command")
        made = make_groups(self._defaults, given, self._of_default)
        parameters: dict[str, dict[str, Any]] = {name: {} for name in self._parameters}
        for name, source in of_nodes:
            parameters[name] |= self._read_parameters(name, source, made)
        return EffectiveSettings(self.groups, made, parameters)

    @property
    def _defaults(self) -> dict[str, Config]:
        return {name: group.defaults for name, group in self.groups.items()}

    def _sources(self, options: argparse.Namespace) -> list[Source]:
        """What files and words give, later ones replacing earlier ones."""
        sources = []
        for path in options.config:
            document = read_yaml_file(path)
            content = {} if document.content is None else document.content
            if not isinstance(content, Mapping):
                raise ReadError(f"{path} holds a {type(content).__name__}, expected settings")
            sources.append(Source(self._current(content), Location(document.place)))
        words = read_assignments(options.set, "--set")
        sources.append(Source(self._nested(words), Location(label="--set ")))
        for name, parameters in self._parameters.items():
            if parameters.option != "--set":
                attribute = parameters.option.lstrip("-").replace("-", "_")
                values = read_assignments(getattr(options, attribute), parameters.option)
                sources.append(Source({name: values}, Location(label=f"{parameters.option} ")))
        return sources

    def _nested(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``group.name`` as an entry of its group."""
        content: dict[str, Any] = {}
        for name, value in values.items():
            group, point, rest = name.partition(".")
            if point and (group in self.groups or group in self._parameters):
                content.setdefault(group, {})[rest] = value
            else:
                content[name] = value
        return content

    def _split(self, source: Source) -> dict[str | None, dict[Any, Any]]:
        """Entries of a source for the settings (None) and for parameters of nodes, by name."""
        own = fields_by_name(type(self._defaults[TOP])) if TOP in self.groups else {}
        split: dict[str | None, dict[Any, Any]] = {None: {}}
        for key, value in source.content.items():
            if key in self._parameters and key != TOP:
                split.setdefault(key, {})[key] = value
            elif TOP in self._parameters and key not in own and key not in self.groups:
                split.setdefault(TOP, {})[key] = value
            else:
                split[None][key] = value
        return split

    def _read_parameters(
        self, group: str, source: Source, made: Mapping[str, Config]
    ) -> dict[str, Any]:
        """Parameters of nodes by full name, converted to their kinds."""
        content = source.content
        kinds = self._parameters[group].kinds(made) if content else {}
        at = dataclasses.replace(source.at, label="parameter ")
        if group != TOP:
            at, content = at / group, content[group]
            if not isinstance(content, Mapping):
                raise at.refusal(f"is {content!r}, expected parameters with values")
        read = {}
        for keys, value in _leaves(content):
            name = ".".join(map(str, keys))
            here = dataclasses.replace(at, keys=(*at.keys, *keys), shown=name)
            if name not in kinds:
                raise here.refusal(unknown_fault(name, kinds, ": docs/parameters.md lists all"))
            try:
                read[name] = read_value(kinds[name], value)
            except ValueKindError as error:
                raise here.refusal(str(error)) from error
        return read

    def _of_default(self, group: str, field: str) -> Location:
        """How a setting that nobody gave would be given."""
        declared = self.groups[group]
        if declared.words:
            return Location(keys=(field,), label=f"{declared.words} ")
        if declared.is_flat:
            return Location(keys=(option_of_field(_field(declared.defaults, field)),))
        return Location(keys=(group, field), label="--set ")


def _leaves(content: Mapping[Any, Any], keys: tuple[Any, ...] = ()) -> list[tuple[Any, Any]]:
    """Values of nested mappings with their keys."""
    found: list[tuple[Any, Any]] = []
    for key, value in content.items():
        if isinstance(value, Mapping):
            found += _leaves(value, (*keys, key))
        else:
            found.append(((*keys, key), value))
    return found


def _given_words(name: str, group: Group, options: argparse.Namespace) -> GivenFields:
    words = getattr(options, group.words.lstrip("-").replace("-", "_"))
    at = Location(label=f"{group.words} ")
    values = read_fields(type(group.defaults), read_assignments(words, group.words), at)
    return {(name, field): Given(value, at / field) for field, value in values.items()}


def _field(config: Config, name: str) -> "dataclasses.Field[Any]":
    return next(field for field in dataclasses.fields(config) if field.name == name)
