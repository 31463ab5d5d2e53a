"""System record: a whole system in one folder that is never changed."""

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.engines.form import EngineForm
from conegrad_core.geometry.calibration import Calibration
from conegrad_core.pipeline.build import Settings, build_pipeline
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.pattern import integration_pattern
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.writing import specification_text
from conegrad_core.settings.yaml_file import read_yaml_file, yaml_text
from conegrad_core.system_record.calibration_file import (
    read_calibration_file,
    write_calibration_file,
)
from conegrad_core.system_record.description import (
    Description,
    Metrics,
    StageEntry,
    SystemEntry,
    read_entry,
)
from conegrad_core.system_record.errors import RecordError
from conegrad_core.system_record.location import PIPELINE
from conegrad_core.system_record.manifest import (
    MANIFEST,
    Manifest,
    verify,
    write_manifest,
)
from conegrad_core.system_record.stage_hash import recorded_settings, stage_hash, weights_hash
from conegrad_core.whole_file import write_whole
from conegrad_core.whole_folder import whole_folder

SYSTEM = "system.json"
SETTINGS, CALIBRATION = "settings.yaml", "calibration.yaml"
WEIGHTS = "weights"


class SystemRecord:
    """A record that was verified when it was opened.

    Attributes:
        folder: it lies in.
        manifest: hashes of its files.
        entry: content of ``system.json``.
    """

    def __init__(self, folder: Path, expected_id: str = "") -> None:
        """Open a record; every byte of it is compared with its manifest.

        Args:
            folder: of the record.
            expected_id: that it has to have; empty: any.

        Raises:
            FileNotFoundError: if there is no record.
            RecordError: naming the first file that differs, is missing or is additional.
        """
        self.folder = folder
        self.manifest: Manifest = verify(folder, expected_id)
        self.entry: SystemEntry = read_entry(folder / SYSTEM, self._settings)

    @property
    def id(self) -> str:
        """The first hexadecimal digits of the hash of its manifest."""
        return self.manifest.id

    @property
    def name(self) -> str:
        """Of the system."""
        return self.entry.description.name

    @property
    def description(self) -> Description:
        """Where it comes from and how good it is."""
        return self.entry.description

    @property
    def stage_hashes(self) -> dict[str, str]:
        """Hash of every stage by its name."""
        return {name: stage.hash for name, stage in self.entry.stages.items()}

    @property
    def pipeline_file(self) -> Path:
        """Graph, settings of the stages and paths of their weights: a pipeline file like any."""
        return self.folder / PIPELINE

    @cached_property
    def specification(self) -> PipelineSpecification:
        """Content of the pipeline file; weights of stages are absolute paths."""
        return load_specification(self.pipeline_file)

    @cached_property
    def calibration(self) -> Calibration | None:
        """Calibration of the vehicle; None where the record holds none."""
        path = self.folder / CALIBRATION
        return read_calibration_file(path) if path.exists() else None

    def pipeline(self, settings: Settings | None = None, *, trainable: bool = False) -> Pipeline:
        """The pipeline with the weights of the record; arguments and errors as `load_pipeline`."""
        return build_pipeline(self.specification, settings, trainable=trainable)

    def with_metrics(self, folder: Path, metrics: Metrics) -> "SystemRecord":
        """A copy with other metrics; a record that lies there is replaced.

        Args:
            folder: of the copy.
            metrics: that take the place of those of this record.

        Raises:
            RecordError: if the folder holds something else than a record.
            OSError: naming the file, if it cannot be written.
        """
        _check_replaceable(folder)
        described = dataclasses.replace(self.description, metrics=metrics)
        with whole_folder(folder, replaces=True) as made:
            for name in self.manifest.files:
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.folder / name, made / name)
            entry = dataclasses.replace(self.entry, description=described)
            write_whole(made / SYSTEM, entry.content)
            write_manifest(made)
        return SystemRecord(folder)

    @property
    def _settings(self) -> Mapping[str, Any]:
        path = self.folder / SETTINGS
        return dict(read_yaml_file(path).content or {}) if path.exists() else {}


class ExportOrder(NamedTuple):
    """Stages that are recorded as an engine runs them.

    Attributes:
        form: engine and precision.
        stages: their names.
        examples: values of the only input of each, by its name; those of int8 need some.
    """

    form: EngineForm
    stages: tuple[str, ...]
    examples: Mapping[str, Sequence[Any]] = {}


def write_record(
    folder: Path,
    pipeline: Pipeline,
    description: Description,
    calibration: Calibration | None = None,
    *,
    order: ExportOrder | None = None,
) -> SystemRecord:
    """Write a record; a record that lies there is replaced.

    Whenever the process is killed, the folder holds a whole record or none.

    Args:
        folder: of the record.
        pipeline: loaded to be trained, so that every stage can write its weights.
        description: of the system.
        calibration: of the vehicle, where it is known.
        order: stages that are recorded as engines run them; None: all as torch has them.

    Raises:
        EngineError: if the engine of the order is not to be had here.
        PipelineError: if a stage cannot write its weights, or learns and has no weights file.
        RecordError: if the folder holds something else than a record.
        OSError: naming the file, if it cannot be written.
    """
    _check_replaceable(folder)
    with whole_folder(folder, replaces=True) as made:
        files = _write_weights(made, pipeline)
        of_engines = _write_engines(made, pipeline, files, order) if order else {}
        entry = SystemEntry(
            description,
            _pipeline_name(Path(pipeline.specification.source)),
            integration_pattern(pipeline),
            {
                name: _stage_entry(made, pipeline, name, file, of_engines.get(name, {}))
                for name, file in files.items()
            },
            _version(),
        )
        recorded = _recorded(pipeline, files, of_engines)
        title = f"System {description.name}, as recorded; the weights lie beside this file."
        write_whole(made / PIPELINE, specification_text(recorded, title).encode())
        write_whole(made / SETTINGS, yaml_text(description.settings).encode())
        if calibration is not None:
            write_calibration_file(made / CALIBRATION, calibration)
        write_whole(made / SYSTEM, entry.content)
        write_manifest(made)
    return SystemRecord(folder)


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise RecordError(f"{folder} holds something else than a record: choose another folder")


def _write_weights(folder: Path, pipeline: Pipeline) -> dict[str, str]:
    """Path of the weights file of every stage in a record; empty for one without weights."""
    (folder / WEIGHTS).mkdir()
    files = {}
    for name in pipeline.order:
        stage = pipeline.stage(name)
        has_setting = hasattr(pipeline.configs[name], "weights")
        if stage.learns and not (stage.weights_file and has_setting):
            raise PipelineError(
                f"stage {name} learns, but has no weights file to be recorded: expected "
                "'weights_file' of its class and a setting 'weights'"
            )
        files[name] = ""
        if stage.weights_file and has_setting:
            files[name] = f"{WEIGHTS}/{name}{Path(stage.weights_file).suffix}"
            stage.save(folder / files[name])
    return files


def _write_engines(
    folder: Path, pipeline: Pipeline, files: dict[str, str], order: ExportOrder
) -> dict[str, dict[str, Any]]:
    """Further settings of every stage that an engine runs; its file takes the place of weights."""
    settings = {}
    for name in order.stages:
        own = folder / WEIGHTS / name
        own.mkdir()
        made = pipeline.stage(name).export(own, order.form, order.examples.get(name, ()))
        if "weights" in made:
            (folder / files[name]).unlink()
            files[name] = (Path(WEIGHTS) / name / str(made.pop("weights"))).as_posix()
        else:
            own.rmdir()
        settings[name] = made
    return settings


def _stage_entry(
    folder: Path, pipeline: Pipeline, name: str, file: str, settings: Mapping[str, Any]
) -> StageEntry:
    module = pipeline.specification.stages[name].module
    weights = weights_hash(folder / file) if file else ""
    hashed = stage_hash(module, {**recorded_settings(pipeline, name), **settings}, weights)
    return StageEntry(module, file, hashed, pipeline.stage(name).scalars())


def _recorded(
    pipeline: Pipeline, files: Mapping[str, str], of_engines: Mapping[str, Mapping[str, Any]]
) -> PipelineSpecification:
    """The specification with every setting of every stage, and the weights of the record."""
    stages = {}
    for name, stage in pipeline.specification.stages.items():
        settings = {**recorded_settings(pipeline, name), **of_engines.get(name, {})}
        if files[name]:
            settings = {"weights": files[name], **settings}
        stages[name] = dataclasses.replace(stage, settings=settings)
    return dataclasses.replace(pipeline.specification, stages=stages)


def _pipeline_name(source: Path) -> str:
    """Name of a pipeline file; of one of a record, that of the file that was recorded."""
    if source.name == PIPELINE and (source.parent / MANIFEST).is_file():
        return SystemRecord(source.parent).entry.pipeline
    return source.stem


def _version() -> str:
    try:
        return version("conegrad_core")
    except PackageNotFoundError:
        return "unknown"
