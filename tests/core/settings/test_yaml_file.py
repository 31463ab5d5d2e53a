"""YAML with the lines of its entries."""

import math
from pathlib import Path

import pytest

from conegrad_core.settings.yaml_file import read_document, read_yaml, read_yaml_file, yaml_value

TEXT = """
run:
  steps: 5
  # a comment
  batch: 2
data: {tests: [a], 1: b}
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 2),
        (("run",), 2),
        (("run", "steps"), 3),
        (("run", "batch"), 5),
        (("run", "missing"), 2),
        (("data", "tests"), 6),
        (("data", 1), 6),
        (("missing",), 2),
    ],
)
def test_the_line_of_an_entry_is_known(keys, line):
    assert read_document(TEXT, "file.yaml").place(keys) == f"file.yaml:{line}: "


def test_numbers_are_read_as_ros_reads_them():
    assert read_yaml("1e-3") == 0.001
    assert read_yaml("") is None


@pytest.mark.parametrize("value", ["1e-3", "true", "", "a: b", 1e-5, math.inf, 3, False, "ü"])
def test_a_value_that_was_written_reads_as_itself(value):
    read = read_yaml(yaml_value(value))
    assert read == value
    assert type(read) is type(value)


def test_lists_and_paths_are_written_as_lists_and_texts():
    assert yaml_value((1.0, 2.0)) == "[1.0, 2.0]"
    assert yaml_value(Path("a/b")) == "a/b"
    assert yaml_value(None) == "null"
    assert "\n" not in yaml_value(tuple("word" * 20 for _ in range(9)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "invalid YAML in line 1, column 5: "),
        (b"\xff", " is not a text in UTF-8"),
        (b"\x00", "invalid YAML: "),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, message):
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"file.yaml.*{message}"):
        read_yaml_file(path)
    with pytest.raises(FileNotFoundError, match=r"missing\.yaml"):
        read_yaml_file(tmp_path / "missing.yaml")
