"""Versions of a stage, and how a command line names them."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.file import load_specification
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.stage import Stage
from conegrad_core.system_record.archive import is_archive
from conegrad_core.system_record.reference import load_referenced, resolve

DEFAULT = "default"  # version of a stage that the pipeline itself has
PIPELINE_ENDINGS = (".yaml", ".yml")


class StageVersion(NamedTuple):
    """One version of a stage.

    Attributes:
        stage: name of the stage.
        source: weights file, system reference, or :data:`DEFAULT`.
        label: for people, unlike those of the other versions of the stage.
    """

    stage: str
    source: str
    label: str

    def __str__(self) -> str:
        return f"{self.stage} {self.label}"


Versions = Mapping[str, tuple[StageVersion, ...]]  # of the stages that are varied


def read_versions(
    words: Iterable[str], stages: Sequence[str]
) -> dict[str, tuple[StageVersion, ...]]:
    """Versions of words such as ``detector=a.safetensors,car@champion,default``.

    Args:
        words: one per stage.
        stages: of the pipeline.

    Raises:
        ValueError: naming the word, for another form, an unknown stage or a version given twice.
    """
    versions: dict[str, tuple[StageVersion, ...]] = {}
    for word in words:
        stage, equals, listed = word.partition("=")
        sources = [source.strip() for source in listed.split(",")]
        if not equals or not all(sources):
            raise ValueError(f"--stage has {word!r}, expected STAGE=VERSION,VERSION,...")
        if stage not in stages:
            expected = ", ".join(stages)
            raise ValueError(f"--stage names the stage {stage!r}, expected one of {expected}")
        if stage in versions:
            raise ValueError(f"--stage names {stage!r} twice, expected all its versions at once")
        twice = sorted({source for source in sources if sources.count(source) > 1})
        if twice:
            raise ValueError(f"--stage {stage} has the version {twice[0]} twice")
        labels = _labels(sources)
        versions[stage] = tuple(
            StageVersion(stage, source, label)
            for source, label in zip(sources, labels, strict=True)
        )
    if not versions:
        raise ValueError("no versions are given, expected --stage STAGE=VERSION,VERSION,...")
    return versions


def _labels(sources: Sequence[str]) -> list[str]:
    """The name of each file without its ending; with its folders where two would be the same."""
    paths = [Path(source) for source in sources]
    is_file = [path.is_file() for path in paths]
    stems = [p.stem if file else s for p, s, file in zip(paths, sources, is_file, strict=True)]
    if len(set(stems)) == len(stems):
        return stems
    longer = [
        f"{p.parent.name}/{p.stem}" if file else s
        for p, s, file in zip(paths, sources, is_file, strict=True)
    ]
    return longer if len(set(longer)) == len(longer) else list(sources)


def _is_weights_file(path: Path) -> bool:
    """Whether a file holds weights, and is not a pipeline or the archive of a record."""
    return path.is_file() and path.suffix not in PIPELINE_ENDINGS and not is_archive(path)


def stage_names(reference: str) -> tuple[str, ...]:
    """Stages of a system, without loading it.

    Raises:
        FileNotFoundError: if there is no such system.
        RecordError: if the store has no such record, or it was changed.
    """
    record = resolve(reference)
    return tuple((record.specification if record else load_specification(reference)).stages)


def load_version(base: Pipeline, version: StageVersion) -> Stage:
    """A version of a stage.

    Args:
        base: pipeline whose stage it replaces.
        version: to load.

    Raises:
        FileNotFoundError: if there is no such file or system.
        PipelineError: if the stage takes no weights, or the system lacks it.
        ValueError: if the weights are of another kind.
    """
    stage = base.stage(version.stage)
    if version.source == DEFAULT:
        return stage
    if not _is_weights_file(Path(version.source)):
        return load_referenced(version.source).stage(version.stage)
    if "weights" not in {field.name for field in dataclasses.fields(stage.config)}:
        raise PipelineError(
            f"stage {version.stage} takes no weights, found {version.source}; expected 'default' "
            "or a system"
        )
    config = dataclasses.replace(stage.config, weights=version.source)  # type: ignore[call-arg]
    return type(stage).from_config(config)
