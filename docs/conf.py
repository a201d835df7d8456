"""Sphinx: furo for the looks, MyST for the pages, MyST-NB to run what they show."""

import importlib.metadata

project = "minikeras"
author = "the minikeras developers"
copyright = f"2026, {author}"
version = release = importlib.metadata.version("minikeras")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]

# Pages are MyST Markdown; a page with code cells (jupytext's header, {code-cell}) is
# executed on every build, and an exception in a cell fails the build. A notebook source
# in percent form, *.nb.py, is a page too.
nb_custom_formats = {".nb.py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3

# Docstrings: Google's sections, and the project's own (see CONTRIBUTING.md).
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Formula", "Shapes", "Source"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autosummary_generate = True

html_theme = "furo"
html_title = f"minikeras {release}"
html_show_copyright = False
