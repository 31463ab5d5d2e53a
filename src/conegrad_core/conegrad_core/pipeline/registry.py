"""Stages and port types that are installed, found by the entry points of their packages.

A package registers its own in the groups ``conegrad.stages`` (a class) and ``conegrad.ports``
(an object of a port type); those of the car are registered by ``conegrad_core`` itself. Nothing is
imported before it is asked for.
"""

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings.names import nearest

T = TypeVar("T")

STAGES, PORTS = "conegrad.stages", "conegrad.ports"
KINDS = {STAGES: "stage", PORTS: "port type"}


def stage_class(name: str) -> type[Stage]:
    """The class of a stage.

    Raises:
        PipelineError: if the name is not registered (lists those that are), if two packages claim
            it, or if it cannot be imported (names the package).
    """
    return load_class(STAGES, name, Stage)  # type: ignore[type-abstract]


def port_type(name: str) -> PortType:
    """The port type of a kind.

    Raises:
        PipelineError: as :func:`stage_class`.
    """
    return load_object(PORTS, name, PortType)  # type: ignore[type-abstract]


def load_class(group: str, name: str, base: type[T]) -> type[T]:
    """The class that a package registered.

    Args:
        group: of entry points.
        name: of the entry.
        base: class that it has to be derived from.

    Raises:
        PipelineError: as :func:`stage_class`, or if it is something else (names the package).
    """
    found = _object(_the_claim(group, name))
    if not (isinstance(found, type) and issubclass(found, base)):
        raise _wrong_object(group, name, found, f"a subclass of {_full_name(base)}")
    return found


def load_object(group: str, name: str, kind: type[T]) -> T:
    """The object that a package registered; arguments and errors as :func:`load_class`."""
    found = _object(_the_claim(group, name))
    if not isinstance(found, kind):
        raise _wrong_object(group, name, found, f"an object of {_full_name(kind)}")
    return found


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _wrong_object(group: str, name: str, found: Any, expected: str) -> PipelineError:
    """The error of an object of another class than a group takes."""
    entry = _claims(group)[name][0]
    shown = found.__name__ if isinstance(found, type) else type(found).__name__
    return PipelineError(
        f"the {_title(group)} {name!r} of package {_package(entry)} is {shown}, expected {expected}"
    )


def registered(group: str) -> list[str]:
    """Names of a group, sorted."""
    return sorted(_claims(group))


def package_of(group: str, name: str) -> str:
    """Name of the package that registers an entry.

    Raises:
        PipelineError: if no package or more than one registers it.
    """
    return _package(_the_claim(group, name))


def _the_claim(group: str, name: str) -> EntryPoint:
    claims = _claims(group).get(name, ())
    if not claims:
        known = ", ".join(registered(group)) or (
            "none: no package that registers one is installed, conegrad_core neither"
        )
        raise PipelineError(
            f"no {_title(group)} {name!r} is registered, expected one of {known}"
            f"{nearest(name, registered(group))}"
        )
    if len(claims) > 1:
        both = " and ".join(sorted(f"{_package(entry)} ({entry.value})" for entry in claims))
        raise PipelineError(
            f"the {_title(group)} {name!r} is claimed by {both}, expected one package"
        )
    return claims[0]


def _claims(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    return _claims_on(tuple(sys.path), group)


@lru_cache(maxsize=32)
def _claims_on(path: tuple[str, ...], group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    """Entry points of a group by name, as they are with a search path."""
    claims: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in _installed(path).select(group=group):
        claims[entry.name] = (*claims.get(entry.name, ()), entry)
    return claims


@lru_cache(maxsize=8)
def _installed(path: tuple[str, ...]) -> Any:
    """Entry points of all groups: every group reads the metadata of every package."""
    return entry_points()


def _object(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise PipelineError(
            f"the {_title(entry.group)} {entry.name!r} of package {_package(entry)} cannot be "
            f"imported from {entry.value}: {error}"
        ) from error


def _title(group: str) -> str:
    return KINDS.get(group, f"entry of {group}")


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown package"
