"""Settings that the commands of recorded systems share."""

from dataclasses import dataclass
from pathlib import Path

from conegrad_core.settings import Config, setting
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.location import VERSIONED, pinned
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.reference import resolve
from conegrad_core.system_record.signature import check_signature
from conegrad_core.system_record.store import SystemStore
from conegrad_core.system_record.store_index import Version

REFERENCE = "NAME@ALIAS, NAME/VERSION, an id, or the path of a record, a training or an archive"


@dataclass(frozen=True)
class StoreSettings(Config):
    """Where records are kept."""

    store: str = setting(
        "", "Folder of the store of systems; empty: CONEGRAD_SYSTEMS, else mlruns/systems here"
    )

    def opened(self) -> SystemStore:
        """The store."""
        return SystemStore(Path(self.store).expanduser() if self.store else None)


@dataclass(frozen=True)
class KeySettings(StoreSettings):
    """The store, and the key that records have to be signed by."""

    key: str = setting("", "Public key (PEM, Ed25519) that the record has to be signed by")

    def check(self, folder: Path) -> None:
        """Refuse a record that the key did not sign; without a key all is well.

        Raises:
            FileNotFoundError: if there is no such key.
            RecordError: if the record is not signed by it.
        """
        if self.key:
            check_signature(folder, Path(self.key).expanduser())


def recorded(reference: str, store: SystemStore) -> SystemRecord:
    """The record of a reference.

    Raises:
        FileNotFoundError: if a path is no record.
        RecordError: if the reference has another form, or the store has no such record.
    """
    record = resolve(reference, store)
    if record is None:
        raise RecordError(f"{reference!r} names no recorded system, expected {REFERENCE}")
    return record


def kept_folder(store: SystemStore, record: SystemRecord) -> Path:
    """Folder of a record in the store, into which it is copied where it is not there yet."""
    store.keep(record.folder)
    folder = store.record_folder(record.id)
    if folder is None:
        raise RecordError(f"the store {store.folder} did not keep the record {record.id}")
    return folder


def version_of(reference: str, store: SystemStore) -> Version:
    """The version that ``NAME/VERSION`` or ``NAME@ALIAS`` names.

    Raises:
        RecordError: if the reference has another form, or there is no such version.
    """
    versioned = VERSIONED.fullmatch(pinned(reference, store))
    if not versioned:
        raise RecordError(f"{reference!r} names no version, expected NAME/VERSION or NAME@ALIAS")
    return store.version(versioned[1], int(versioned[2]))


def described(version: Version) -> str:
    """A version in one line."""
    return f"{version.reference}, record {version.id}"
