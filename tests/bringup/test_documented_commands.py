"""Every command that the documents show has the options that they give it."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest

from conegrad_bringup.command_line import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "src/*/README.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
COMMAND = re.compile(r"^(?:    |\$ )?(?:source \S+ && )?((?:conegrad|python) .*)$", re.MULTILINE)
ASSIGNMENT = re.compile(r"""^ *(\w+)=["'](.*)["']$""", re.MULTILINE)
# What stands for something else, and files and records that the reader has.
STAND_INS = [
    (r" {3,}.*| #.*", ""),  # what is said about a command, beside it
    (r"\.\.\.|[\[\]]", ""),
    (r" && .*", ""),
    (r"\$\(.*?\)", "drive"),
    (r"\bSEED\b", "7"),
    (r"\bWORLD\b", "clear"),
    (r" --config \S+", ""),
    (r"--pipeline \S+@\S+", "--pipeline camera_lidar"),
]


def commands(document: Path) -> Iterator[list[str]]:
    """The words of each `conegrad` and `python` line of the code blocks of a document."""
    blocks = code_blocks(re.sub(r"\\\n *", "", document.read_text()))
    variables = dict(ASSIGNMENT.findall(blocks))
    for line in COMMAND.findall(blocks):
        for pattern, stand_in in STAND_INS:
            line = re.sub(pattern, stand_in, line)
        yield shlex.split(Template(line).safe_substitute(variables))


def code_blocks(text: str) -> str:
    """The indented and the fenced blocks."""
    fenced = re.findall(r"^```(?:bash|sh|console)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^    .*$", text, re.MULTILINE)
    return "\n".join([*indented, *fenced])


OF_CONEGRAD = sorted({tuple(c[1:]) for d in DOCUMENTS for c in commands(d) if c[0] == "conegrad"})
OF_SCRIPTS = sorted(
    {tuple(c[1:]) for d in DOCUMENTS for c in commands(d) if c[0] == "python" and c[1][0] != "-"}
)


def test_the_documents_are_read():
    assert ("look", "pictures", "-o", "seen") in OF_CONEGRAD
    assert any(script[0].startswith("benchmarks/") for script in OF_SCRIPTS)


@pytest.mark.parametrize("words", OF_CONEGRAD, ids=" ".join)
def test_a_documented_command_has_its_options(words, capsys):
    assert main([*words, "--print-config"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("words", OF_SCRIPTS, ids=" ".join)
def test_a_documented_script_has_its_options(words):
    script = ROOT / words[0]
    assert script.is_file()
    declared = declared_options(script)
    assert [word for word in words[1:] if word.startswith("-") and word not in declared] == []


def declared_options(script: Path) -> set[str]:
    """What a script and what it imports beside itself give to `add_argument`."""
    calls = [
        node
        for path in script.parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if path == script or f"import {path.stem}" in script.read_text()
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument"
    ]
    constants = [argument for call in calls for argument in call.args]
    return {str(c.value) for c in constants if isinstance(c, ast.Constant)}
