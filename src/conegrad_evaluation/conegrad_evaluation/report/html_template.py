"""Reads the HTML templates of reports."""

import jinja2

from conegrad_evaluation.report.glossary import PageGlossary

PAGES = "conegrad_evaluation.report"  # package of page.html, which all reports extend


def template_of(package: str, name: str) -> jinja2.Template:
    """A template of the folder ``templates`` of a package; a name it lacks is an error.

    The filter ``terms`` links the terms of the glossary in a text; the page lists those it used.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader(PAGES)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    glossary = PageGlossary()
    environment.filters["terms"] = glossary.link
    environment.globals["glossary"] = glossary
    return environment.get_template(name)
