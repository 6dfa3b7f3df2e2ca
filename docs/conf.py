"""How Sphinx builds the documentation: `make docs`. The pages lie where they are read in the repository, too."""

from __future__ import annotations

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))  # for `docs.site` and `triptych`, wherever this is built from

import triptych  # noqa: E402

project = "Triptych"
author = copyright = "the Triptych authors"
release = version = triptych.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "docs.site.links",
    "docs.site.sources",
    "docs.site.formulas",
    "docs.site.commands",
    "docs.site.fields",
    "docs.site.blocks",
    "docs.site.docstrings",
    "docs.site.tables",
    "docs.site.rooms",
    "docs.site.charts",
]

# Sources: the repository itself, so that every link between pages is what it is there.
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "results/**/*.md",
    "benchmarks/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [".*", "build", "dist", "runs", "tests", "triptych", "benchmarks/.environments", "**/__pycache__", "docs/examples",
                    "docs/site", "docs/guide/WRITING.md", "**/.ipynb_checkpoints", "*.egg-info"]  # fmt: skip
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

# Markdown and notebooks. A notebook is shown as it is stored, with the outputs of its last run.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # what a cell shows may have tables
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_update_mathjax = False

# The reference, from docstrings: their single backquotes mean code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# HTML, from disk: no script, font or picture comes from elsewhere.
html_theme = "furo"
html_title = "Triptych"
html_math_renderer = "mathml"
html_static_path = ["site/static"]
html_css_files = ["triptych.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # a browser lets no page read another one from disk
html_additional_pages = {"index": "to_the_first_page.html"}
templates_path = ["site/templates"]
pygments_style = "friendly"
pygments_dark_style = "github-dark"
copybutton_exclude = ".linenos, .gp, .go"
