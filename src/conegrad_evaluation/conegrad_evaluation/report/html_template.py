"""Reads the HTML templates of reports."""

import jinja2

PAGES = "conegrad_evaluation.report"  # package of page.html, which all reports extend


def template_of(package: str, name: str) -> jinja2.Template:
    """A template of the folder ``templates`` of a package; a name it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader(PAGES)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
