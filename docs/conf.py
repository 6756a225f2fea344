"""Configuration of Sphinx. ``scripts/docs`` builds the site."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from envstore_reference.sources import PYTHON_MODULES  # noqa: E402

from jupyter_envstore import __version__  # noqa: E402

project = "jupyter-envstore"
author = "jupyter-envstore contributors"
copyright = "jupyter-envstore contributors"
version = release = __version__

extensions = ["envstore_reference", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "_ext"]
source_suffix = {".md": "markdown"}
smartquotes = False  # --json has two hyphens in running text, too
nitpicky = True
public = "|".join(re.escape(module) for module in PYTHON_MODULES.values())
nitpick_ignore_regex = [(r"py:.*", rf"(?!({public})\.).*")]
"""What is not in a public module: other projects, whose documentation is not at hand here, and types of ours that the
API's signatures name and that are no part of it."""

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "jupyter-envstore"
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
html_copy_source = False
