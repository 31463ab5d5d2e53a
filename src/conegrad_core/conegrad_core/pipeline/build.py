"""From a specification to a pipeline that runs: classes, settings, weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.registry import stage_class
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings import Config
from conegrad_core.settings.mapping import Location, ReadError, read_config

DEFAULT = "camera_lidar"  # the car

Settings = Mapping[str, Config | Mapping[str, Any]]


def load_pipeline(
    name_or_path: str | Path = DEFAULT,
    settings: Settings | None = None,
    *,
    trainable: bool = False,
) -> Pipeline:
    """Read, check and build a pipeline; every stage is in evaluation mode.

    Args:
        name_or_path: a pipeline of ``config/pipelines``, the path of its YAML file, or the
            reference of a recorded system (:mod:`conegrad_core.system_record.reference`).
        settings: of stages, by the name of the stage: values that replace those of the file, or
            a whole object of its ``config_class``.
        trainable: with gradients: torch runs every stage, whatever engine the settings name.

    Raises:
        FileNotFoundError: if there is no such pipeline, or a weights file does not exist.
        PipelineError: naming file, line, stage and port.
        ValueError: if weights are of another kind.
    """
    return build_pipeline(load_specification(name_or_path), settings, trainable=trainable)


def build_pipeline(
    specification: PipelineSpecification,
    settings: Settings | None = None,
    *,
    trainable: bool = False,
) -> Pipeline:
    """Check and build a pipeline; arguments and errors as :func:`load_pipeline`."""
    settings = settings or {}
    unknown = sorted(settings.keys() - specification.stages.keys())
    if unknown:
        raise PipelineError(
            f"settings are given for the stage {unknown[0]!r}, expected some of "
            f"{', '.join(specification.stages)} of {specification.source}"
        )
    layout = layout_of(specification)  # before weights are loaded, which takes longer
    configs = {
        name: stage_config(specification, name, of_stage.config_class, settings.get(name, {}))
        for name, of_stage in layout.classes.items()
    }
    stages: dict[str, Stage] = {
        name: of_stage.from_config(configs[name], trainable=trainable)
        for name, of_stage in layout.classes.items()
    }
    return Pipeline(specification, stages, configs).eval()


def layout_of(specification: PipelineSpecification) -> Layout:
    """The checked connections of a pipeline.

    Raises:
        PipelineError: naming file, line, stage and port.
    """
    return Layout(specification, stage_classes(specification))


def stage_classes(specification: PipelineSpecification) -> dict[str, type[Stage]]:
    """Class of every stage.

    Raises:
        PipelineError: naming file, line and stage.
    """
    return {name: class_of(specification, name) for name in specification.stages}


def class_of(specification: PipelineSpecification, name: str) -> type[Stage]:
    """Class of one stage.

    Raises:
        PipelineError: naming file, line and stage.
    """
    try:
        return stage_class(specification.stages[name].module)
    except PipelineError as error:
        path = ("stages", name, "module")
        raise specification.error(f"stage {name}: {error}", *path) from error


def stage_config(
    specification: PipelineSpecification,
    name: str,
    config_class: type[Config],
    settings: Config | Mapping[str, Any],
) -> Config:
    """Settings of a stage: those of the file, replaced by those that are given.

    Raises:
        PipelineError: naming file, line, stage and setting.
    """
    if isinstance(settings, Config):
        if not isinstance(settings, config_class):
            found, expected = type(settings).__name__, config_class.__name__
            raise PipelineError(f"stage {name}: its settings are {found}, expected {expected}")
        return settings
    values = {**specification.stages[name].settings, **settings}

    def place(keys: Sequence[object]) -> str:
        path = ("stages", name, "settings", *map(str, keys))
        return str(specification.error(f"stage {name}: setting ", *path))

    try:
        return read_config(config_class, values, Location(place))
    except ReadError as error:
        raise PipelineError(str(error)) from error
    except ValueError as error:
        raise specification.error(f"stage {name}: {error}", "stages", name, "settings") from error
