"""All faults of a pipeline file, not only the first one."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conegrad_core.pipeline.build import class_of, stage_config
from conegrad_core.pipeline.checks import connection_faults, cycle_faults
from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import pipeline_text, read_what_is_there
from conegrad_core.pipeline.specification import PipelineSpecification
from conegrad_core.pipeline.stage import Stage
from conegrad_core.settings.mapping import ReadError


def find_faults(name_or_path: str | Path) -> list[PipelineError]:
    """Check a pipeline file without loading weights.

    Args:
        name_or_path: a pipeline of ``config/pipelines``, or the path of its YAML file.

    Returns:
        An error per fault in the order of the file, naming file, line, stage and port; one that
        only follows from another is left out.

    Raises:
        OSError: if the file cannot be read.
    """
    try:
        text, source = pipeline_text(name_or_path)
        reading = read_what_is_there(text, source)
    except PipelineError as error:
        return [error]
    specification = reading.specification
    faults, classes = list(reading.faults), {}
    for name, stage in specification.stages.items():
        try:
            if stage.module:
                classes[name] = class_of(specification, name)
        except PipelineError as error:
            faults.append(error)
    faults += connection_faults(specification, classes, reading.unread)
    faults += cycle_faults(specification)
    for name, of_stage in classes.items():
        faults += _setting_faults(specification, name, of_stage)
    return sorted(faults, key=lambda fault: _line(fault, source))


def _setting_faults(
    specification: PipelineSpecification, name: str, of_stage: type[Stage]
) -> Iterator[PipelineError]:
    """Settings of a stage that are refused: each one alone, then all together."""
    settings = specification.stages[name].settings
    first = _refusal(specification, name, of_stage, settings)
    if first is None:
        return
    found = {str(first): first}
    for key, value in settings.items():
        fault = _refusal(specification, name, of_stage, {key: value})
        if fault is not None and isinstance(fault.__cause__, ReadError):
            found[str(fault)] = fault
    yield from found.values()


def _refusal(
    specification: PipelineSpecification,
    name: str,
    of_stage: type[Stage],
    settings: Mapping[str, Any],
) -> PipelineError | None:
    stage = dataclasses.replace(specification.stages[name], settings=settings)
    changed = dataclasses.replace(specification, stages={name: stage})
    try:
        stage_config(changed, name, of_stage.config_class, {})
    except PipelineError as error:
        return error
    return None


def _line(fault: PipelineError, source: str) -> int:
    found = re.match(rf"{re.escape(source)}:(\d+):", str(fault))
    return int(found[1]) if found else 0
