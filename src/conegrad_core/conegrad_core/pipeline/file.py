"""Reader of pipeline files: YAML into a specification, every fault with its line."""

import dataclasses
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from torch import nn

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.specification import (
    EntryPath,
    PipelineSpecification,
    StageSpecification,
)
from conegrad_core.presets import find_preset
from conegrad_core.system_record.location import PIPELINE, find_record

KEYS = ("inputs", "stages", "outputs")
STAGE_KEYS = ("module", "inputs", "outputs", "settings")
NAME = re.compile(r"[a-z][a-z0-9_]*")
FORM = "a lower-case word of letters, digits and _"


def load_specification(name_or_path: str | Path) -> PipelineSpecification:
    """Read a pipeline by its name, the path of its YAML file, or the reference of a system.

    The path of a weights file is relative to the folder of the pipeline file.

    Raises:
        FileNotFoundError: if there is no such pipeline; names the places searched.
        PipelineError: naming file, line and what was expected.
        RecordError: if a recorded system is not known or was changed.
    """
    text, source = pipeline_text(name_or_path)
    specification = read_specification(text, source)
    stages = {
        name: dataclasses.replace(stage, settings=_placed(stage.settings, Path(source).parent))
        for name, stage in specification.stages.items()
    }
    return dataclasses.replace(specification, stages=stages)


def pipeline_text(name_or_path: str | Path) -> tuple[str, str]:
    """Text of a pipeline file and its path.

    Raises:
        FileNotFoundError: if there is no such pipeline; names the places searched.
        PipelineError: if the file is not text.
        RecordError: if a recorded system is not known or was changed.
    """
    record = find_record(name_or_path)
    path = record / PIPELINE if record else find_preset("pipelines", name_or_path)
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path} is not a text in UTF-8: {error}") from error


def _placed(settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Settings of a stage, the path of its weights file in the folder of the pipeline file."""
    weights = settings.get("weights")
    if not isinstance(weights, str) or not weights:
        return settings
    return {**settings, "weights": str(folder.absolute() / Path(weights).expanduser())}


def read_specification(text: str, source: str) -> PipelineSpecification:
    """Specification of the text of a file.

    Args:
        text: YAML.
        source: name of the file, for messages.

    Raises:
        PipelineError: naming file, line and what was expected, of the first fault.
    """
    found = read_what_is_there(text, source)
    for fault in found.faults:
        raise fault
    return found.specification


class Reading(NamedTuple):
    """What could be read of a file.

    Attributes:
        specification: without the entries that have faults.
        faults: an error per fault, in the order in which they were found.
        unread: the entries that have them.
    """

    specification: PipelineSpecification
    faults: tuple[PipelineError, ...]
    unread: tuple[EntryPath, ...]


def read_what_is_there(text: str, source: str) -> Reading:
    """Read as much as possible of the text of a file; arguments as :func:`read_specification`.

    Raises:
        PipelineError: naming file and line, if the text is empty or is not YAML.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = f"{source}:{mark.line + 1}" if mark else source
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise PipelineError(f"{place}: this is not YAML: {reason}") from error
    if root is None:
        raise PipelineError(f"{source}:1: the file is empty, expected {', '.join(KEYS)}")
    reader = _Reader(source)
    specification = reader.pipeline(root)
    paths, errors = zip(*reader.faults, strict=True) if reader.faults else ((), ())
    return Reading(specification, errors, paths)


class _Reader:
    """Turns the nodes of one file into a specification, and notes the line of each entry.

    Attributes:
        faults: found so far, with the path of the entry that has it.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: dict[EntryPath, int] = {}
        self.faults: list[tuple[EntryPath, PipelineError]] = []

    def pipeline(self, root: yaml.Node) -> PipelineSpecification:
        """Specification of the whole file."""
        parts = self._mapping(root, (), KEYS, KEYS)
        inputs, stages, outputs = (parts.get(key) for key in KEYS)
        declared = self._names(inputs, ("inputs",), "a port: the name of its kind")
        nodes = self._mapping(stages, ("stages",), at_least="one stage")
        made = {name: self._stage(name, node) for name, node in nodes.items()}
        results = self._names(
            outputs, ("outputs",), "a result: the name of its port", at_least="one result"
        )
        return PipelineSpecification(self._source, declared, made, results, self._lines)

    def _stage(self, name: str, node: yaml.Node) -> StageSpecification:
        path, where = ("stages", name), f"stage {name}: "
        if hasattr(nn.ModuleDict, name):
            self._report(node, path, f"{where}this name is reserved, expected another one")
        parts = self._mapping(node, path, STAGE_KEYS, ("module", "inputs", "outputs"), where)
        module, inputs, outputs, settings = (parts.get(key) for key in STAGE_KEYS)
        expected = "its own name: the name of a port"
        return StageSpecification(
            name,
            self._text(module, (*path, "module"), f"{where}module") if module else "",
            self._names(inputs, (*path, "inputs"), expected, where),
            self._names(outputs, (*path, "outputs"), expected, where),
            self._settings(settings, (*path, "settings"), where),
        )

    def _mapping(
        self,
        node: yaml.Node | None,
        path: EntryPath,
        allowed: tuple[str, ...] = (),
        needed: tuple[str, ...] = (),
        where: str = "",
        at_least: str = "",
    ) -> dict[str, yaml.Node]:
        """Nodes of a mapping by key, without those that have faults."""
        if node is None:
            return {}
        title = f"{where}{path[-1] if path else 'the file'}"
        line = self._lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.MappingNode):
            keys = f" of {', '.join(allowed)}" if allowed else ""
            self._report(node, path, f"{title} is {_shown(node)}, expected a mapping{keys}")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._key(key, path, allowed, found, where)
            if name:
                place = (*path, name)
                self._lines[place] = key.start_mark.line + 1
                found[name] = value
        for name in needed:
            if name not in found:
                error = PipelineError(f"{self._source}:{line}: {where}{name} is missing")
                self.faults.append(((*path, name), error))
        if at_least and not node.value:
            self._report(node, path, f"{title} is empty, expected {at_least} at least")
        return found

    def _key(
        self,
        key: yaml.Node,
        path: EntryPath,
        allowed: tuple[str, ...],
        found: Container[str],
        where: str,
    ) -> str:
        """Name of an entry of a mapping; empty if it has a fault."""
        name = self._text(key, path, f"a key of {where}{path[-1] if path else 'the file'}")
        fault = ""
        if name in found:
            fault = f"{name} is given twice"
        elif name and allowed and name not in allowed:
            fault = f"unknown key {name}, expected one of {', '.join(allowed)}"
        elif name and not NAME.fullmatch(name):
            fault = f"{name!r} is not a name, expected {FORM}"
        if fault:
            self._report(key, (*path, name), f"{where}{fault}")
        return "" if fault else name

    def _names(
        self,
        node: yaml.Node | None,
        path: EntryPath,
        expected: str,
        where: str = "",
        at_least: str = "",
    ) -> dict[str, str]:
        """A mapping of names to names, without the entries that have faults."""
        found = {}
        for name, value in self._mapping(node, path, where=where, at_least=at_least).items():
            title = f"{where}{path[-1]}.{name}"
            found[name] = self._text(value, (*path, name), title, f"expected {expected}")
        return {name: value for name, value in found.items() if value}

    def _settings(self, node: yaml.Node | None, path: EntryPath, where: str) -> Mapping[str, Any]:
        return {
            name: yaml.SafeLoader("").construct_document(value)
            for name, value in self._mapping(node, path, where=where).items()
        }

    def _text(
        self, node: yaml.Node, path: EntryPath, title: str, expected: str = "expected a name"
    ) -> str:
        """A name; empty if it is something else."""
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str") and node.value:
            return str(node.value)
        self._report(node, path, f"{title} is {_shown(node)}, {expected}")
        return ""

    def _report(self, node: yaml.Node, path: EntryPath, text: str) -> None:
        error = PipelineError(f"{self._source}:{node.start_mark.line + 1}: {text}")
        self.faults.append((path, error))


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value) if node.value else "empty"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
