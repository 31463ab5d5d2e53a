"""YAML with the line of each entry; numbers are read as ROS 2 reads them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml


class _Loader(yaml.SafeLoader):
    """Takes 1e-3 for a number, as ROS 2 does, and PyYAML does not."""


class _Dumper(yaml.SafeDumper):
    """Writes what :class:`_Loader` reads: a text such as 1e-3 needs quotes."""


for _yaml in (_Loader, _Dumper):
    _yaml.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
        list("-+0123456789"),
    )


# As launch writes lists; ROS 2 passes over the tag.
def _sequence(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_Loader.add_constructor("tag:yaml.org,2002:python/tuple", _sequence)


class YamlDocument(NamedTuple):
    """Content of a YAML text.

    Attributes:
        content: its values; None for an empty text.
        root: its nodes, which know their lines.
        name: of the file.
    """

    content: Any
    root: yaml.Node | None
    name: str

    def place(self, keys: Sequence[object]) -> str:
        """``FILE:LINE:`` and a space, of an entry, or of the nearest one around it that exists."""
        node, line = self.root, 0 if self.root is None else self.root.start_mark.line
        for key in keys:
            entries = node.value if isinstance(node, yaml.MappingNode) else []
            found = [(k, v) for k, v in entries if k.value == str(key)]
            if not found:
                break
            line, node = found[-1][0].start_mark.line, found[-1][1]
        return f"{self.name}:{line + 1}: "


def read_yaml(text: str) -> Any:
    """Content of a YAML text, or one value.

    Raises:
        ValueError: if it is not YAML; in one line, with the place in the text.
    """
    return read_document(text).content


def read_document(text: str, name: str = "") -> YamlDocument:
    """The same with the lines of its entries; ``name`` is that of the file."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        return YamlDocument(root and loader.construct_document(root), root, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"invalid YAML{place}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"invalid YAML: {' '.join(str(error).split())}") from error


def read_yaml_file(path: Path) -> YamlDocument:
    """Read a YAML file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not YAML; names the file and the place in it.
    """
    try:
        return read_document(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a text in UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def yaml_text(content: Mapping[str, Any]) -> str:
    """Nested mappings, lists and plain values as the text of a YAML file, in their order."""
    return yaml.dump(_plain_content(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def yaml_value(value: Any) -> str:
    """A value in one line of YAML."""
    plain = [_plain(entry) for entry in value] if isinstance(value, tuple) else _plain(value)
    text = yaml.dump(plain, Dumper=_Dumper, default_flow_style=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("\n...")


def _plain_content(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain_content(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_content(entry) for entry in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
