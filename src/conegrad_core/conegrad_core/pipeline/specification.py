"""What a pipeline file says: stages, their connections, and the line of everything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conegrad_core.pipeline.errors import PipelineError

EntryPath = tuple[str, ...]  # keys of an entry of a file


@dataclass(frozen=True)
class StageSpecification:
    """One stage of a pipeline.

    Attributes:
        name: in the pipeline.
        module: name under which the class of the stage is registered.
        inputs: port of each input.
        outputs: port of each output that is used.
        settings: of the class of the stage, by name.
    """

    name: str
    module: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PipelineSpecification:
    """A pipeline before it is checked and built.

    Attributes:
        source: file it was read from.
        inputs: kind of each port that comes from outside.
        stages: by name, in the order of the file.
        outputs: port of each result.
        lines: line in the file, by the path of an entry: ``("stages", "fuser", "inputs")``.
    """

    source: str
    inputs: Mapping[str, str]
    stages: Mapping[str, StageSpecification]
    outputs: Mapping[str, str]
    lines: Mapping[EntryPath, int] = field(default_factory=dict, compare=False)

    def error(self, text: str, *path: str) -> PipelineError:
        """The error of an entry: ``FILE:LINE: text``; the line is that of the nearest entry."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return PipelineError(f"{self.source}:{line}: {text}")
        return PipelineError(f"{self.source}: {text}")
