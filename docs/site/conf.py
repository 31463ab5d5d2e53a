"""Sphinx configuration of the documentation site; `make docs` builds it.

The documents are the Markdown files of the repository as they are: `scripts/docs.sh` puts them into
a source folder that has the layout of the repository, so that links between them hold here, too.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from sphinx.application import Sphinx

SOURCE = Path(__file__).parent
PACKAGES = ("core", "data", "nodes", "evaluation", "training", "simulation", "bringup")

project = "ConeGrad"
author = "the ConeGrad authors"
settings = ConfigParser()
settings.read(SOURCE / "src/conegrad_core/setup.cfg")
version = settings["metadata"]["version"]

extensions = [
    "myst_parser",
    "autoapi.extension",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
include_patterns = ["*.md", "docs/*.md", "examples/README.md", "src/*/README.md", "api/**"]
exclude_patterns = ["**/.*"]
nitpicky = False

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autoapi_dirs = [f"src/conegrad_{name}/conegrad_{name}" for name in PACKAGES]
autoapi_root = "api"
autoapi_options = ["members", "undoc-members", "show-module-summary"]
autoapi_ignore = ["*/templates/*"]
autoapi_add_toctree_entry = False
autoapi_own_page_level = "module"
suppress_warnings = ["autoapi.python_import_resolution", "ref.python"]

napoleon_use_ivar = True  # attributes stand once, as the fields that they describe

html_theme = "furo"
html_title = f"ConeGrad {version}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# Prompts are not part of what is copied.
copybutton_prompt_text = "$ "


def setup(app: Sphinx) -> None:
    """Keep the pages of modules out of the navigation, which every page repeats."""
    app.connect("source-read", _without_navigation)


def _without_navigation(app: Sphinx, document: str, source: list[str]) -> None:
    if re.fullmatch(r"api/\w+/index", document):
        source[0] = f":orphan:\n\n{source[0]}"
