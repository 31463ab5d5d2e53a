"""Registry of recorded systems in MLflow: one registered model per system, a version per record.

Everything of a version is sent before the version is made, in one transaction of the registry: a
process that is killed leaves no half one.
"""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.record import SystemRecord
from conegrad_training.tracking.flavour import RECORD, write_model
from conegrad_training.tracking.registry_tags import (
    ID,
    bag_inputs,
    run_tags,
    stage_tags,
    version_tags,
)
from conegrad_training.tracking.tracking import (
    TrackingConfig,
    experiment_id,
    make_client,
    reason_of,
    store_file,
)

T = TypeVar("T")

LOCK = ".systems.lock"  # beside a local store, which refuses a second writer after 5 s
TRIES = 6  # of what another writer may get in the way of
FIRST_WAIT = 0.1  # [s], doubles with each try


class RegistryError(RecordError):
    """The registry cannot be used, or does not hold what is asked for."""


class SystemRegistry:
    """The registry of a server or of a local store.

    Raises:
        RegistryError: by every method, if the registry cannot be used.
    """

    def __init__(self, config: TrackingConfig) -> None:
        self.uri = config.store
        self._experiment_name = config.experiment
        self._made: Any = None

    def register(self, record: SystemRecord, run: str = "") -> int:
        """Make a version of a record; one that is there already stays.

        Args:
            record: to send.
            run: of MLflow that made it; empty: a run is made to hold its metrics and data.

        Returns:
            The number of the version.
        """
        with self._explained(), self._exclusive():
            client = self._client
            if (number := self._version_of(record)) is not None:
                return number
            experiment = self._retried(
                lambda: experiment_id(client, self._experiment_name, self.uri)
            )
            run = run or self._run(record, experiment)
            self._retried(lambda: client.log_inputs(run, bag_inputs(record)))
            stages = self._stage_models(record, experiment, run)
            model = self._logged_model(record, experiment, run, stages)
            self._ensure_system(record.name)
            version = self._retried(
                lambda: client.create_model_version(
                    record.name,
                    source=model.artifact_location,
                    run_id=run,
                    tags=version_tags(record, stages),
                    description=record.description.note or None,
                    model_id=model.model_id,
                )
            )
            return int(version.version)

    def ids(self, name: str) -> dict[int, str]:
        """Record of each version of a system; empty if there is no such system."""
        with self._explained():
            found = self._client.search_model_versions(f"name = '{name}'")
            return {int(v.version): v.tags[ID] for v in found if ID in v.tags}

    def aliased(self, name: str, alias: str) -> int:
        """Version of an alias."""
        with self._explained():
            return int(self._client.get_model_version_by_alias(name, alias).version)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Let an alias name a version."""
        with self._explained(), self._exclusive():
            client = self._client
            self._retried(lambda: client.set_registered_model_alias(name, alias, str(number)))

    def drop_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        with self._explained(), self._exclusive():
            self._retried(lambda: self._client.delete_registered_model_alias(name, alias))

    @contextlib.contextmanager
    def fetched(self, name: str, number: int) -> Iterator[Path]:
        """Folder of the record of a version, for as long as the context lasts."""
        from mlflow.artifacts import download_artifacts

        with TemporaryDirectory() as folder:
            with self._explained():
                version = self._client.get_model_version(name, str(number))
                if ID not in version.tags:
                    raise RegistryError(
                        f"{name}/{number} of {self.uri} is not the version of a recorded system"
                    )
                found = download_artifacts(
                    artifact_uri=version.source,
                    dst_path=folder,
                    tracking_uri=self.uri,
                )
            yield Path(found) / RECORD

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = make_client(self.uri)
        return self._made

    def _version_of(self, record: SystemRecord) -> int | None:
        """Number of the version of a record, if there is one."""
        query = f"name = '{record.name}' and tags.`{ID}` = '{record.id}'"
        found = self._client.search_model_versions(query)
        return min((int(version.version) for version in found), default=None)

    def _run(self, record: SystemRecord, experiment: str) -> str:
        """A run of its own for a record that was not made by one."""
        client = self._client
        run = client.create_run(experiment, tags=run_tags(record)).info.run_id
        for part, metrics in record.description.metrics.items():
            prefix = "" if part == "system" else f"{part}."
            for name, value in metrics.items():
                client.log_metric(run, f"{prefix}{name}", float(value))
        client.set_terminated(run)
        return str(run)

    def _stage_models(self, record: SystemRecord, experiment: str, run: str) -> dict[str, str]:
        """Id of the logged model of each stage with weights; equal stages share one."""
        client, models = self._client, {}
        for name, stage in record.entry.stages.items():
            if not stage.weights:
                continue
            query = f"tags.stage_hash = '{stage.hash}'"
            found = client.search_logged_models([experiment], query, max_results=1)
            if found:
                models[name] = found[0].model_id
                continue
            model = client.create_logged_model(
                experiment,
                name=f"{record.name}-{name}",
                source_run_id=run,
                tags=stage_tags(record, name),
                model_type=stage.module,
            )
            with TemporaryDirectory() as folder:
                path = Path(folder) / Path(stage.weights).name
                path.write_bytes((record.folder / stage.weights).read_bytes())
                client.log_model_artifacts(model.model_id, folder)
            client.finalize_logged_model(model.model_id, "READY")
            models[name] = model.model_id
        return models

    def _logged_model(
        self, record: SystemRecord, experiment: str, run: str, stages: dict[str, str]
    ) -> Any:
        """The whole record as a model, with all of its files."""
        client = self._client
        model = client.create_logged_model(
            experiment,
            name=record.name,
            source_run_id=run,
            tags=version_tags(record, stages),
            model_type="system",
        )
        with TemporaryDirectory() as folder:
            write_model(record, Path(folder))
            client.log_model_artifacts(model.model_id, folder)
        client.log_model_artifacts(model.model_id, str(record.folder), RECORD)
        return client.finalize_logged_model(model.model_id, "READY")

    def _ensure_system(self, name: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _retried(self, action: Callable[[], T]) -> T:
        """What an action gives, which another writer may have got in the way of."""
        from mlflow.exceptions import MlflowException

        for attempt in range(TRIES):
            try:
                return action()
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST" or attempt == TRIES - 1:
                    raise
                time.sleep(FIRST_WAIT * 2**attempt)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One writer at a time where the store is a file; a server sees to that itself."""
        file = store_file(self.uri)
        if file is None:
            yield
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with (file.parent / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self.uri}: {reason_of(error)}") from error
