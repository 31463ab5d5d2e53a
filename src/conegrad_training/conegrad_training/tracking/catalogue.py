"""Systems by name: the local store that nodes read, kept as the registry of MLflow says."""

import logging
from collections.abc import Callable
from pathlib import Path

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord
from conegrad_core.system_record.store import SystemStore, check_alias
from conegrad_core.system_record.store_index import Version
from conegrad_training.tracking.registry import RegistryError, SystemRegistry
from conegrad_training.tracking.tracking import TrackingConfig

logger = logging.getLogger(__name__)

CHAMPION, CANDIDATE = "champion", "candidate"


class SystemCatalogue:
    """A local store together with a registry, if there is one.

    The registry numbers the versions. What is logged while it cannot be reached gets the next
    number of the store, and is registered ahead of the next record that is logged; should another
    machine have taken the number, the version moves to that which the registry gives it.

    Attributes:
        store: on this machine.
        registry: of MLflow; None: tracking is off.
    """

    def __init__(self, tracking: TrackingConfig, store: SystemStore | None = None) -> None:
        self.store = store or SystemStore()
        self.registry = SystemRegistry(tracking) if tracking.tracking else None

    def log(self, record: Path, run: str = "") -> Version:
        """Name a record in the store and in the registry; one that is there already stays.

        A registry that cannot be used costs its entry, with a warning, not the record.

        Args:
            record: its folder, or its archive.
            run: of MLflow that made it.

        Raises:
            FileNotFoundError: if there is no record.
            RecordError: if it was changed.
        """
        kept = self._kept(self.store.keep(record))
        number = None
        if self.registry is not None:
            try:
                self._register_earlier(kept.name, self.registry)
                number = self.registry.register(kept, run)
            except RegistryError as error:
                logger.warning("%s; the record is in the store %s alone", error, self.store.folder)
        return self.store.add(kept.folder, kept.name, number)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Let an alias name a version, in the store and in the registry.

        Raises:
            RecordError: if there is no such version, the alias has a form that is not allowed, or
                the registry refuses: then the store stays as it was.
        """
        check_alias(alias)
        version = self.store.version(name, number)
        if self.registry is not None:
            version = self._registered(version, self.registry)
            self.registry.set_alias(name, alias, version.number)
        self.store.set_alias(name, alias, version.number)

    def roll_back(self, name: str, alias: str) -> Version:
        """Let an alias name the version that it was at before, in the store and in the registry.

        Raises:
            RecordError: if it was at no other version, or the registry refuses.
        """
        version = self.store.earlier(name, alias)
        if self.registry is not None:
            version = self._registered(version, self.registry)
            self.registry.set_alias(name, alias, version.number)
        return self.store.roll_back(name, alias)

    def fetch(
        self,
        name: str,
        number: int | None = None,
        alias: str = "",
        check: Callable[[Path], None] = lambda folder: None,
    ) -> Version:
        """Copy a version of the registry into the store, with its number.

        Args:
            name: of the system.
            number: of the version.
            alias: of the version, where no number is given; it then names it in the store, too.
            check: is given the folder of the record before it is taken; raises to refuse it.

        Raises:
            RecordError: if tracking is off, there is no such version, or its record was changed.
        """
        if self.registry is None:
            raise RecordError("tracking is off, expected a registry to fetch from")
        number = self.registry.aliased(name, alias) if number is None else number
        with self.registry.fetched(name, number) as folder:
            check(folder)
            version = self.store.add(folder, name, number)
        if alias:
            self.store.set_alias(name, alias, number)
        return version

    def _registered(self, version: Version, registry: SystemRegistry) -> Version:
        """The version as the registry has it, which may not know it yet."""
        if version.is_registered:
            return version
        self._register_earlier(version.name, registry)
        return next(v for v in self.store.versions(version.name) if v.id == version.id)

    def _register_earlier(self, name: str, registry: SystemRegistry) -> None:
        """Register what was logged while the registry could not be reached."""
        if name not in self.store.names():
            return
        for version in self.store.versions(name):
            if not version.is_registered:
                record = self._kept(version.id)
                self.store.add(record.folder, name, registry.register(record))

    def _kept(self, record_id: str) -> SystemRecord:
        folder = self.store.record_folder(record_id)
        if folder is None:
            raise RecordError(f"the store {self.store.folder} holds no record {record_id}")
        return SystemRecord(folder, record_id)
