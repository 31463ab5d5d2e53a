"""The documents name files and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "src/*/README.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
TEST = re.compile(r"`(?:tests/)?([\w/]+/test_\w+\.py)(?:::(test_\w+))?`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document):
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_that_are_named_exist(document):
    missing = []
    for file, name in TEST.findall(document.read_text()):
        path = ROOT / "tests" / file
        if not path.exists() or (name and f"def {name}(" not in path.read_text()):
            missing.append(f"{file}::{name}")
    assert missing == []


def test_every_pipeline_that_ships_has_its_section_with_a_picture():
    text = (ROOT / "docs/pipelines.md").read_text()
    for path in (ROOT / "config/pipelines").glob("*.yaml"):
        assert re.search(rf"^### {path.stem}\b", text, re.MULTILINE), path.stem
        assert f"](images/pipeline_{path.stem}.svg)" in text, path.stem
        command = f"conegrad pipeline show {path.stem} -o docs/images/pipeline_{path.stem}.svg"
        assert command in text, path.stem
