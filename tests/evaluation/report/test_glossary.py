import re
from pathlib import Path

from conegrad_evaluation.report.glossary import PageGlossary, meanings

DOCUMENT = Path(__file__).parents[3] / "docs/glossary.md"


def test_a_term_is_linked_where_it_is_first_mentioned_and_listed_once():
    glossary = PageGlossary()
    text = glossary.link("ECE 0.01, again ECE")
    assert re.sub("<.*?>", "", text) == "ECE 0.01, again ECE"
    assert text.count('href="#term-ece"') == 1
    glossary.link("ECE of another drive")
    assert [term for _, term, _ in glossary.used()] == ["ECE"]


def test_the_longer_term_is_taken_and_other_words_are_left_alone():
    glossary = PageGlossary()
    assert glossary.link("F1 with colour").startswith('<a class="term" href="#term-f1-with-colour"')
    assert glossary.link("shape, ape, f1x") == "shape, ape, f1x"
    assert 'href="#term-confidence-interval"' in glossary.link("95 % intervals")


def test_a_text_is_escaped():
    assert PageGlossary().link("<b> & ECE").startswith("&lt;b&gt; &amp; <a ")


def test_the_glossary_of_the_documents_is_that_of_the_reports():
    document = DOCUMENT.read_text(encoding="utf-8")
    section = document.partition("## Evaluation")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    assert rows == [f"| {term} | {meaning} |" for term, meaning in meanings().items()]
