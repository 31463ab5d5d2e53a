"""Where a system comes from: the records that it started from, and theirs."""

from typing import NamedTuple

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore


class Ancestor(NamedTuple):
    """A record of a lineage.

    Attributes:
        id: of the record.
        parents: ids of those that it started from.
        record: None where the store does not hold it, or it was changed.
        names: versions and aliases that name it.
        changed: stages that differ from those of every parent that is known.
    """

    id: str
    parents: tuple[str, ...]
    record: SystemRecord | None
    names: tuple[str, ...]
    changed: tuple[str, ...]


def lineage(record: SystemRecord, store: SystemStore) -> list[Ancestor]:
    """A record and all that it comes from, each after those that it started from.

    Args:
        record: the last one.
        store: that holds the others.
    """
    found: dict[str, SystemRecord | None] = {}
    order: list[str] = []
    waiting: list[tuple[str, bool]] = [(record.id, False)]
    found[record.id] = record
    while waiting:
        current, is_done = waiting.pop()
        if is_done:
            order.append(current)
            continue
        waiting.append((current, True))
        for parent in _parents(found[current]):
            if parent not in found:
                found[parent] = _opened(parent, store)
                waiting.append((parent, False))
    return [
        Ancestor(
            key,
            _parents(found[key]),
            found[key],
            names_of(key, store),
            _changed(found[key], [found[parent] for parent in _parents(found[key])]),
        )
        for key in order
    ]


def names_of(record_id: str, store: SystemStore) -> tuple[str, ...]:
    """``NAME/VERSION`` and ``NAME@ALIAS`` of a record."""
    names = []
    for version in store.versions_of(record_id):
        names.append(version.reference)
        aliases = store.aliases(version.name).items()
        names += [f"{version.name}@{alias}" for alias, at in aliases if at == version.number]
    return tuple(names)


def _parents(record: SystemRecord | None) -> tuple[str, ...]:
    return () if record is None else record.description.parents


def _opened(record_id: str, store: SystemStore) -> SystemRecord | None:
    folder = store.record_folder(record_id)
    try:
        return None if folder is None else SystemRecord(folder, record_id)
    except RecordError:
        return None


def _changed(record: SystemRecord | None, parents: list[SystemRecord | None]) -> tuple[str, ...]:
    known = [parent for parent in parents if parent is not None]
    if record is None or not known:
        return ()
    before = {hashed for parent in known for hashed in parent.stage_hashes.values()}
    return tuple(name for name, hashed in record.stage_hashes.items() if hashed not in before)
