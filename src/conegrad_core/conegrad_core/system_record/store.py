"""Local store of records: by id, and by name with version and alias. Nothing of it needs a network.

``records/ID`` holds each record. ``index.json`` names them; it is replaced as a whole under a lock,
so that a process may be killed at any moment, and no two writers lose anything.
"""

import fcntl
import logging
import os
import re
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from conegrad_core.settings.names import unknown_fault
from conegrad_core.system_record.archive import archived_manifest, unpack_into
from conegrad_core.system_record.description import check_name
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.manifest import MANIFEST, verify
from conegrad_core.system_record.store_index import (
    Index,
    IndexedSystem,
    Version,
    read_index,
    write_index,
)
from conegrad_core.whole_file import left_by_killed
from conegrad_core.whole_folder import whole_folder

logger = logging.getLogger(__name__)

T = TypeVar("T")

VARIABLE = "CONEGRAD_SYSTEMS"  # environment: folder of the store
FOLDER = Path("mlruns/systems")  # beside the local store of MLflow
INDEX, LOCK, RECORDS = "index.json", ".lock", "records"
LATEST = "latest"  # the newest version; nobody sets it
ALIAS = re.compile(r"[a-z][a-z0-9_-]*")
VERSION_LIKE = re.compile(r"v?[0-9]+")


class SystemStore:
    """A folder of records with an index.

    Attributes:
        folder: of the store; it is made when something is added.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Open a store.

        Args:
            folder: of the store; None: as the environment variable ``CONEGRAD_SYSTEMS`` says, else
                ``mlruns/systems`` in the working folder.
        """
        self.folder = folder or Path(os.environ.get(VARIABLE) or FOLDER).expanduser()

    def names(self) -> list[str]:
        """Names of the systems."""
        return sorted(self._index())

    def versions(self, name: str) -> list[Version]:
        """Versions of a system, the oldest first.

        Raises:
            RecordError: if there is no such system.
        """
        return [version for _, version in sorted(self._system(name).versions.items())]

    def aliases(self, name: str) -> dict[str, int]:
        """Version of each alias of a system.

        Raises:
            RecordError: if there is no such system.
        """
        return {alias: at[-1] for alias, at in self._system(name).aliases.items()}

    def version(self, name: str, number: int) -> Version:
        """A version by its number.

        Raises:
            RecordError: if there is none; names those that there are.
        """
        versions = self._system(name).versions
        if number not in versions:
            known = ", ".join(map(str, sorted(versions)))
            raise RecordError(f"{name} has no version {number} in {self.folder}, it has {known}")
        return versions[number]

    def aliased(self, name: str, alias: str) -> Version:
        """The version of an alias; ``latest`` is the newest one.

        Raises:
            RecordError: if there is none; names those that there are.
        """
        system = self._system(name)
        if alias == LATEST:
            return system.versions[max(system.versions)]
        if alias not in system.aliases:
            known = ", ".join([*sorted(system.aliases), LATEST])
            raise RecordError(f"{name} has no alias {alias!r} in {self.folder}, it has {known}")
        return system.versions[system.aliases[alias][-1]]

    def versions_of(self, record_id: str) -> list[Version]:
        """Versions that name a record."""
        systems = self._index().values()
        return [v for system in systems for v in system.versions.values() if v.id == record_id]

    def record_folder(self, record_id: str) -> Path | None:
        """Folder of a record, whether the index names it or not; None where there is none."""
        folder = self.folder / RECORDS / record_id
        return folder if (folder / MANIFEST).is_file() else None

    def keep(self, record: Path) -> str:
        """Copy a record into the store, without a name.

        Args:
            record: its folder, or its archive.

        Returns:
            Its id.

        Raises:
            FileNotFoundError: if there is no record.
            RecordError: if it was changed.
        """
        is_folder = record.is_dir()
        record_id = (verify(record) if is_folder else archived_manifest(record)).id
        folder = self.folder / RECORDS / record_id
        if folder.exists():
            verify(folder, record_id)
            return record_id
        with whole_folder(folder) as made:
            if is_folder:
                shutil.copytree(record, made, dirs_exist_ok=True)
                verify(made, record_id)
            else:
                unpack_into(made, record)
        return record_id

    def add(self, record: Path, name: str, number: int | None = None) -> Version:
        """Copy a record into the store and give it a name and a version.

        A record that has a version of this name keeps it, unless the registry says another one. A
        number of the registry is that of its record: another record that has it moves to the next
        free number, with a warning, and its aliases move with it.

        Args:
            record: its folder, or its archive.
            name: of the system.
            number: that the registry has given it; None: the next one of this store.

        Raises:
            FileNotFoundError: if there is no record.
            RecordError: if it was changed.
        """
        check_name(name, "the system")
        record_id = self.keep(record)

        def named(index: Index) -> Version:
            system = index.setdefault(name, IndexedSystem())
            same = [v for v in system.versions.values() if v.id == record_id]
            if number is None:
                chosen = same[0].number if same else max(system.versions, default=0) + 1
                return system.versions.setdefault(chosen, Version(name, chosen, record_id, _now()))
            taken = system.versions.get(number)
            if taken is not None and taken.id != record_id:
                free = max(*system.versions, number) + 1
                logger.warning(
                    "%s is now %s/%d: the registry gave the number %d to the record %s",
                    *(taken.reference, name, free, number, record_id),
                )
                system.move(number, free)
            for version in same:
                if version.number != number:
                    system.move(version.number, number)
            added = same[0].added if same else _now()
            system.versions[number] = Version(name, number, record_id, added, is_registered=True)
            return system.versions[number]

        return self._changed(named)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Let an alias name a version.

        Raises:
            RecordError: if there is no such version, or the alias has a form that is not allowed.
        """
        check_alias(alias)
        self.version(name, number)

        def moved(index: Index) -> None:
            at = index[name].aliases.setdefault(alias, [])
            if at[-1:] != [number]:
                at.append(number)

        self._changed(moved)

    def earlier(self, name: str, alias: str) -> Version:
        """The version that an alias was at before.

        Raises:
            RecordError: if there is no such alias, or it was at no other version.
        """
        self.aliased(name, alias)
        at = self._system(name).aliases.get(alias, [])
        if len(at) < 2:
            raise RecordError(f"{name}@{alias} was at no earlier version in {self.folder}")
        return self.version(name, at[-2])

    def roll_back(self, name: str, alias: str) -> Version:
        """Let an alias name the version that it was at before.

        Raises:
            RecordError: if there is no such alias, or it was at no other version.
        """
        self.earlier(name, alias)

        def moved(index: Index) -> Version:
            at = index[name].aliases[alias]
            if len(at) < 2:  # another process was as fast
                raise RecordError(f"{name}@{alias} was at no earlier version in {self.folder}")
            at.pop()
            return index[name].versions[at[-1]]

        return self._changed(moved)

    def drop_alias(self, name: str, alias: str) -> None:
        """Remove an alias; its versions stay.

        Raises:
            RecordError: if there is no such alias.
        """
        self.aliased(name, alias)
        self._changed(lambda index: index[name].aliases.pop(alias, None))

    def _system(self, name: str) -> IndexedSystem:
        index = self._index()
        if name not in index:
            fault = unknown_fault(name, sorted(index)) if index else "is unknown: it is empty"
            raise RecordError(f"system {name!r} {fault} (store {self.folder})")
        return index[name]

    def _index(self) -> Index:
        return read_index(self.folder / INDEX)

    def _changed(self, change: Callable[[Index], T]) -> T:
        """Change the index while no other process does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for path in left_by_killed(self.folder):
                path.unlink()
            index = self._index()
            result = change(index)
            write_index(self.folder / INDEX, index)
        return result


def check_alias(alias: str) -> None:
    """Refuse a word that is no alias.

    Raises:
        RecordError: naming it and what was expected.
    """
    if not ALIAS.fullmatch(alias) or VERSION_LIKE.fullmatch(alias) or alias == LATEST:
        raise RecordError(
            f"the alias is {alias!r}, expected a lower-case word such as 'champion', which is "
            f"neither {LATEST!r} nor like a version"
        )


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
