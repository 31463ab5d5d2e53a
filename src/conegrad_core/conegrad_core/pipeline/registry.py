"""Stages and port types that are installed, found by the entry points of their packages.

A package registers its own in the groups ``conegrad.stages`` (a class) and ``conegrad.ports``
(an object of a port type); those of the car are registered by ``conegrad_core`` itself. Nothing is
imported before it is asked for.
"""

import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.port import PortType
from conegrad_core.pipeline.stage import Stage

STAGES, PORTS = "conegrad.stages", "conegrad.ports"
KINDS = {STAGES: "stage", PORTS: "port type"}


def stage_class(name: str) -> type[Stage]:
    """The class of a stage.

    Raises:
        PipelineError: if the name is not registered (lists those that are), if two packages claim
            it, or if it cannot be imported (names the package).
    """
    found = _load(STAGES, name)
    if not (isinstance(found, type) and issubclass(found, Stage)):
        raise _wrong(STAGES, name, found, "a subclass of conegrad_core.pipeline.stage.Stage")
    return found


def port_type(name: str) -> PortType:
    """The port type of a kind.

    Raises:
        PipelineError: as :func:`stage_class`.
    """
    found = _load(PORTS, name)
    if not isinstance(found, PortType):
        raise _wrong(PORTS, name, found, "an object of conegrad_core.pipeline.port.PortType")
    return found


def registered(group: str) -> list[str]:
    """Names of a group, sorted."""
    return sorted(_claims(group))


def _claims(group: str) -> Mapping[str, tuple[EntryPoint, ...]]:
    return _claims_on(tuple(sys.path))[group]


@lru_cache(maxsize=8)
def _claims_on(path: tuple[str, ...]) -> Mapping[str, Mapping[str, tuple[EntryPoint, ...]]]:
    """Entry points by group and name, as they are with a search path."""
    claims: dict[str, dict[str, tuple[EntryPoint, ...]]] = {}
    everything = entry_points()
    for group in KINDS:
        of_group = claims.setdefault(group, {})
        for entry in everything.select(group=group):
            of_group[entry.name] = (*of_group.get(entry.name, ()), entry)
    return claims


def _load(group: str, name: str) -> Any:
    claims = _claims(group).get(name, ())
    if not claims:
        known = ", ".join(registered(group)) or (
            "none: no package that registers one is installed, conegrad_core neither"
        )
        raise PipelineError(f"no {KINDS[group]} {name!r} is registered, expected one of {known}")
    if len(claims) > 1:
        both = " and ".join(sorted(f"{_package(entry)} ({entry.value})" for entry in claims))
        raise PipelineError(
            f"the {KINDS[group]} {name!r} is claimed by {both}, expected one package"
        )
    return _object(claims[0])


def _object(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise PipelineError(
            f"the {KINDS[entry.group]} {entry.name!r} of package {_package(entry)} cannot be "
            f"imported from {entry.value}: {error}"
        ) from error


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown package"


def _wrong(group: str, name: str, found: Any, expected: str) -> PipelineError:
    entry = _claims(group)[name][0]
    shown = found.__name__ if isinstance(found, type) else type(found).__name__
    return PipelineError(
        f"the {KINDS[group]} {name!r} of package {_package(entry)} is {shown}, expected {expected}"
    )
