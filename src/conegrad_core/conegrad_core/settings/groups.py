"""Groups of settings, read from several sources on top of each other."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from conegrad_core.settings.declaration import Config, SettingError
from conegrad_core.settings.mapping import Location, read_fields, unknown
from conegrad_core.settings.names import fields_by_name

TOP = ""  # name of the group whose settings stand beside the groups, not in one


class Source(NamedTuple):
    """A mapping with a section per group, and where it stands."""

    content: Mapping[Any, Any]
    at: Location


class Given(NamedTuple):
    """A value of a setting, and where it was given."""

    value: Any
    at: Location


GivenFields = dict[tuple[str, str], Given]  # by group and field


def read_groups(groups: Mapping[str, Config], sources: Sequence[Source]) -> dict[str, Config]:
    """Settings of groups: values of later sources replace those of earlier ones.

    Args:
        groups: defaults by the name of their group.
        sources: mappings.

    Raises:
        ReadError: for a name that does not exist, a value of another kind, or one out of bounds.
    """
    given: GivenFields = {}
    for source in sources:
        given |= given_fields(groups, source)
    return make_groups(groups, given, _by_name)


def _by_name(group: str, field: str) -> Location:
    return Location(keys=(field,) if group == TOP else (group, field))


def given_fields(groups: Mapping[str, Config], source: Source) -> GivenFields:
    """Values that a source gives.

    Raises:
        ReadError: for a name that does not exist, or a value of another kind.
    """
    given: GivenFields = {}
    beside = fields_by_name(type(groups[TOP])) if TOP in groups else {}
    for key, section in source.content.items():
        if isinstance(key, str) and key != TOP and key in groups:
            group, values, at = key, section, source.at / key
        elif isinstance(key, str) and key in beside:
            group, values, at = TOP, {key: section}, source.at
        else:
            fields = dataclasses.fields(groups[TOP]) if TOP in groups else ()
            known = [*(field.name for field in fields), *(name for name in groups if name != TOP)]
            raise unknown(source.at, key, known)
        read = read_fields(type(groups[group]), values, at)
        given |= {(group, name): Given(value, at / name) for name, value in read.items()}
    return given


def make_groups(
    groups: Mapping[str, Config],
    given: GivenFields,
    of_default: Callable[[str, str], Location],
) -> dict[str, Config]:
    """The groups with the values that are given.

    Args:
        groups: defaults.
        given: values.
        of_default: where a setting (group, field) stands that nothing gives, but that does not
            fit to the others.

    Raises:
        ReadError: for a value out of bounds.
    """
    made = {}
    for group, defaults in groups.items():
        values = {field: entry.value for (of, field), entry in given.items() if of == group}
        try:
            made[group] = dataclasses.replace(defaults, **values)
        except SettingError as error:
            entry = given.get((group, error.field))
            at = entry.at if entry else of_default(group, error.field)
            raise at.refusal(error.fault) from error
    return made
