"""Index of a store of systems: versions and aliases, and the file that holds them."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conegrad_core.system_record.errors import RecordError
from conegrad_core.whole_file import write_whole

FORMAT = 1


@dataclass(frozen=True)
class Version:
    """One version of a system.

    Attributes:
        name: of the system.
        number: of the version, from 1.
        id: of its record.
        added: when, in UTC.
        is_registered: the number was given by the registry of MLflow; else by this store.
    """

    name: str
    number: int
    id: str
    added: str
    is_registered: bool = False

    @property
    def reference(self) -> str:
        """``NAME/VERSION``."""
        return f"{self.name}/{self.number}"


@dataclass
class IndexedSystem:
    """Index of one system; each alias has the versions that it was at, the current one last."""

    versions: dict[int, Version] = field(default_factory=dict)
    aliases: dict[str, list[int]] = field(default_factory=dict)

    def move(self, number: int, other: int) -> None:
        """Give a version another number."""
        self.versions[other] = dataclasses.replace(self.versions.pop(number), number=other)
        for at in self.aliases.values():
            at[:] = [other if entry == number else entry for entry in at]


Index = dict[str, IndexedSystem]


def read_index(path: Path) -> Index:
    """Systems by name; none where there is no file.

    Raises:
        RecordError: naming the file, if it is none of :func:`write_index`.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        read = json.loads(content)
        if read["format"] != FORMAT:
            raise RecordError(f"{path} has format {read['format']!r}, expected {FORMAT}")
        return {name: _read_system(name, system) for name, system in read["systems"].items()}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path} is not the index of a store of systems: {error!r}") from error


def write_index(path: Path, index: Index) -> None:
    """Write an index, whole or not at all."""
    systems = {name: _plain_system(system) for name, system in sorted(index.items())}
    content = json.dumps({"format": FORMAT, "systems": systems}, indent=2) + "\n"
    write_whole(path, content.encode())


def _plain_system(system: IndexedSystem) -> dict[str, Any]:
    versions = {
        str(number): {"id": v.id, "added": v.added, "is_registered": v.is_registered}
        for number, v in sorted(system.versions.items())
    }
    return {"versions": versions, "aliases": dict(sorted(system.aliases.items()))}


def _read_system(name: str, read: Mapping[str, Any]) -> IndexedSystem:
    versions = {
        int(number): Version(name, int(number), **entry)
        for number, entry in read["versions"].items()
    }
    return IndexedSystem(versions, {alias: list(at) for alias, at in read["aliases"].items()})
