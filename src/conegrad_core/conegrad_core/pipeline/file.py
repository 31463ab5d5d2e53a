"""Reader of pipeline files: YAML into a specification, every fault with its line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml
from torch import nn

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.specification import PipelineSpecification, StageSpecification
from conegrad_core.presets import find_preset

KEYS = ("inputs", "stages", "outputs")
STAGE_KEYS = ("module", "inputs", "outputs", "settings")
NAME = re.compile(r"[a-z][a-z0-9_]*")
FORM = "a lower-case word of letters, digits and _"


def load_specification(name_or_path: str | Path) -> PipelineSpecification:
    """Read a pipeline by its name in ``config/pipelines`` or by the path of its YAML file.

    Raises:
        FileNotFoundError: if there is no such pipeline; names the places searched.
        PipelineError: naming file, line and what was expected.
    """
    path = find_preset("pipelines", name_or_path)
    return read_specification(path.read_text(), str(path))


def read_specification(text: str, source: str) -> PipelineSpecification:
    """Specification of the text of a file.

    Args:
        text: YAML.
        source: name of the file, for messages.

    Raises:
        PipelineError: naming file, line and what was expected.
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
    return _Reader(source).pipeline(root)


class _Reader:
    """Turns the nodes of one file into a specification, and notes the line of each entry."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines: dict[tuple[str, ...], int] = {}

    def pipeline(self, root: yaml.Node) -> PipelineSpecification:
        """Specification of the whole file."""
        parts = self._mapping(root, (), KEYS, KEYS)
        inputs = self._names(parts["inputs"], ("inputs",), "a port: the name of its kind")
        nodes = self._mapping(parts["stages"], ("stages",))
        if not nodes:
            self._fail(parts["stages"], "stages is empty, expected one stage at least")
        stages = {name: self._stage(name, node) for name, node in nodes.items()}
        outputs = self._names(parts["outputs"], ("outputs",), "a result: the name of its port")
        if not outputs:
            self._fail(parts["outputs"], "outputs is empty, expected one result at least")
        return PipelineSpecification(self._source, inputs, stages, outputs, self._lines)

    def _stage(self, name: str, node: yaml.Node) -> StageSpecification:
        path, where = ("stages", name), f"stage {name}: "
        if hasattr(nn.ModuleDict, name):
            self._fail(node, f"{where}this name is reserved, expected another one")
        parts = self._mapping(node, path, STAGE_KEYS, ("module", "inputs", "outputs"), where)
        expected = "its own name: the name of a port"
        return StageSpecification(
            name,
            self._text(parts["module"], f"{where}module"),
            self._names(parts["inputs"], (*path, "inputs"), expected, where),
            self._names(parts["outputs"], (*path, "outputs"), expected, where),
            self._settings(parts.get("settings"), (*path, "settings"), where),
        )

    def _mapping(
        self,
        node: yaml.Node,
        path: tuple[str, ...],
        allowed: tuple[str, ...] = (),
        needed: tuple[str, ...] = (),
        where: str = "",
    ) -> dict[str, yaml.Node]:
        """Nodes of a mapping by key."""
        title = f"{where}{path[-1] if path else 'the file'}"
        line = self._lines.setdefault(path, node.start_mark.line + 1)
        if not isinstance(node, yaml.MappingNode):
            keys = f" of {', '.join(allowed)}" if allowed else ""
            self._fail(node, f"{title} is {_shown(node)}, expected a mapping{keys}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key, f"a key of {title}")
            if name in found:
                self._fail(key, f"{where}{name} is given twice")
            if allowed and name not in allowed:
                self._fail(key, f"{where}unknown key {name}, expected one of {', '.join(allowed)}")
            if not NAME.fullmatch(name):
                self._fail(key, f"{where}{name!r} is not a name, expected {FORM}")
            entry = (*path, name)
            self._lines[entry] = key.start_mark.line + 1
            found[name] = value
        for name in needed:
            if name not in found:
                raise PipelineError(f"{self._source}:{line}: {where}{name} is missing")
        return found

    def _names(
        self, node: yaml.Node, path: tuple[str, ...], expected: str, where: str = ""
    ) -> dict[str, str]:
        """A mapping of names to names."""
        names: dict[str, str] = {}
        for name, value in self._mapping(node, path, where=where).items():
            title = f"{where}{path[-1]}.{name}"
            names[name] = self._text(value, title, f"expected {expected}")
        return names

    def _settings(
        self, node: yaml.Node | None, path: tuple[str, ...], where: str
    ) -> Mapping[str, Any]:
        if node is None:
            return {}
        return {
            name: yaml.SafeLoader("").construct_document(value)
            for name, value in self._mapping(node, path, where=where).items()
        }

    def _text(self, node: yaml.Node, title: str, expected: str = "expected a name") -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.tag.endswith(":str"):
            self._fail(node, f"{title} is {_shown(node)}, {expected}")
        return str(node.value)

    def _fail(self, node: yaml.Node, text: str) -> NoReturn:
        raise PipelineError(f"{self._source}:{node.start_mark.line + 1}: {text}")


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value) if node.value else "empty"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
