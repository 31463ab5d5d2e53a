"""Reads the HTML templates of reports."""

import jinja2


def template_of(package: str, name: str) -> jinja2.Template:
    """A template of the folder ``templates`` of a package; a name it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
