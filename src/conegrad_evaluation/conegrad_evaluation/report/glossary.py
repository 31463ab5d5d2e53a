"""Terms of the reports: explained where they stand, and listed at the end of a page."""

import html
import re
from functools import cache
from importlib import resources

import yaml

FILE = "glossary.yaml"
# Forms in which texts write a term.
FORMS = {
    "AP": ("average precision",),
    "confidence interval": ("95 % interval",),
    "existence": ("existence probability",),
    "F1 with colour": ("f1_colour",),
    "latency": ("latencies",),
}


@cache
def meanings() -> dict[str, str]:
    """Meaning of each term, in the order of the glossary."""
    file = resources.files("conegrad_evaluation.report") / "templates" / FILE
    texts: dict[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return texts


@cache
def _forms() -> tuple[re.Pattern[str], dict[str, str]]:
    """Pattern of all forms, longer ones first, and the term of each form in lower case."""
    terms = {term.lower(): term for term in meanings()}
    terms |= {form.lower(): term for term, forms in FORMS.items() for form in forms}
    words = "|".join(re.escape(form) for form in sorted(terms, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])({words})s?(?![\w-])", re.IGNORECASE), terms


class Html(str):
    """Text that is HTML already: templates do not escape it."""

    def __html__(self) -> str:
        return str(self)


class PageGlossary:
    """The terms that one page uses."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def link(self, text: object) -> Html:
        """The text with the first mention of each term as a link to its meaning."""
        pattern, terms = _forms()
        mentioned: set[str] = set()

        def linked(found: re.Match[str]) -> str:
            term = terms[found[1].lower()]
            if term in mentioned or (term.isupper() and not found[0][0].isupper()):
                return found[0]
            mentioned.add(term)
            meaning = html.escape(meanings()[term].replace("`", ""))
            return f'<a class="term" href="#{anchor(term)}" title="{meaning}">{found[0]}</a>'

        plain = html.escape(str(text), quote=False)
        written = Html(pattern.sub(linked, plain))
        self._used |= mentioned
        return written

    def used(self) -> list[tuple[str, str, Html]]:
        """Anchor, name and meaning of the terms that were linked."""
        return [
            (anchor(term), term, Html(re.sub("`(.*?)`", r"<code>\1</code>", html.escape(meaning))))
            for term, meaning in meanings().items()
            if term in self._used
        ]


def anchor(term: str) -> str:
    """Id of the meaning of a term in a page."""
    return "term-" + re.sub(r"\W+", "-", term.lower())
