"""Sphinx: furo for the looks, MyST for the pages, MyST-NB to run what they show."""

import importlib
import importlib.metadata
import inspect
import logging
import pkgutil
import re
import shutil
from pathlib import Path

from nbclient import NotebookClient
from sphinx.util.inspect import stringify_signature

project = "minikeras"
author = "the minikeras developers"
copyright = f"2026, {author}"
version = release = importlib.metadata.version("minikeras")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
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
# Nothing is said of kernels that listen on TCP or of cells that run without fault.
NotebookClient.extra_arguments = ["--log-level=ERROR"]
logging.getLogger("traitlets").setLevel(logging.WARNING)
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]  # math needs a server
myst_heading_anchors = 3
smartquotes_action = "D"  # dashes; but shapes are (batch, ...), with three dots

# The notebooks are pages too, where Sphinx looks for pages.
HERE = Path(__file__).parent
for source in sorted((HERE.parent / "examples" / "notebooks").glob("*.nb.py")):
    shutil.copy(source, HERE / "notebooks")

# Docstrings: Google's sections, and the project's own (see CONTRIBUTING.md).
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Formula", ("Shapes", "params_style"), "Source"]
default_role = "code"
add_module_names = False
autodoc_inherit_docstrings = False  # `call` is explained in Layer, once
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # `signature` writes them
python_maximum_signature_line_length = 88
toc_object_entries = False  # 1,400 names in the contents of each page take minutes
suppress_warnings = ["ref.python"]  # a type in a signature may be in several rooms

html_theme = "furo"
html_title = f"minikeras {release}"
html_show_copyright = False

ROOM = re.compile(r"^```\{room\} (\S+)\n```$", re.MULTILINE)


def families(room):
    """Yield the modules of a room, each with the names that the room offers from it."""
    members = pkgutil.iter_modules(getattr(room, "__path__", ()))
    modules = [importlib.import_module(f"{room.__name__}.{m.name}") for m in members]
    seen = set()
    for module in modules or [room]:
        names = [n for n in getattr(module, "__all__", ()) if n not in seen]
        own = [n for n in names if getattr(room, n, None) is getattr(module, n)]
        seen.update(own)
        if own:
            yield module, own


def describe(match):
    """Return the reference of a room, a section for each of its modules."""
    room = importlib.import_module(match[1])
    parts = [restructured(inspect.getdoc(room))]
    for module, names in families(room):
        entries = "\n".join(entry(room, name) for name in names)
        links = " · ".join(f":py:obj:`{name}`" for name in names)
        text = f".. py:currentmodule:: {room.__name__}\n\n{links}\n\n{entries}"
        if module is not room:
            parts.append(f"## {module.__name__.rpartition('.')[2]}\n")
            text = f"{inspect.getdoc(module)}\n\n{text}"
        parts.append(restructured(text))
    return "\n".join(parts)


def restructured(text):
    """Return reStructuredText, which docstrings are, for a page of Markdown."""
    return f"```{{eval-rst}}\n{text}\n```\n"


def entry(room, name):
    """Return the directive for one name; what is of another room is no target."""
    thing = getattr(room, name)
    if inspect.isclass(thing):
        own = thing.__module__.startswith(room.__name__)
        excluded = "exclude-members: fn, set_score_request"  # scikit-learn's
        options = ("members:", excluded, *(() if own else ("no-index:",)))
        return "\n   :".join((f".. autoclass:: {name}", *options)) + "\n"
    kind = "function" if inspect.isroutine(thing) else "data"
    return f".. auto{kind}:: {name}\n"


def expand_rooms(app, docname, source):
    """Replace ```{room} package``` in a page by what that package offers."""
    source[0] = ROOM.sub(describe, source[0])


# What reStructuredText would take for markup: stars and bars outside of `code`.
MARKUP = re.compile(r"(``.*?``|`[^`]*`)|([*|])")


def escape(app, what, name, thing, options, lines):
    """Let the formulas in docstrings stand as they were written."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[i] = MARKUP.sub(lambda m: m[1] or f"\\{m[2]}", line)


def signature(app, what, name, thing, options, arguments, returned):
    """Return the arguments and result of a callable, with the types that say something.

    A class is called with what its `__init__` takes, whatever `__new__` does.
    """
    if not callable(thing) or arguments is None:
        return None
    found = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing)
    given = [p for p in found.parameters.values() if p.name not in ("self", "cls")]
    text = stringify_signature(
        found.replace(parameters=given), unqualified_typehints=True
    )
    text = re.sub(r": Any( = )?", lambda m: "=" if m[1] else "", text)
    arguments, _, returned = text.partition(" -> ")
    return arguments, "" if returned in ("Any", "None") else returned


def setup(app):
    app.connect("source-read", expand_rooms)
    app.connect("autodoc-process-docstring", escape, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", signature)
