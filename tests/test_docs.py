"""What the documentation promises: names are explained, blocks run, links lead on."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import pytest

import minikeras

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(p for p in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in p.parts),
]
FENCE = re.compile(r"^```(?P<kind>.+)\n(?P<body>(.*\n)*?)```$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)(?P<path>[^)#\s]+)[^)]*\)")

by_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: str(page.relative_to(ROOT))
)


def modules():
    """Every module of minikeras."""
    found = pkgutil.walk_packages(minikeras.__path__, "minikeras.")
    return [minikeras, *(importlib.import_module(info.name) for info in found)]


def blocks(page, *kinds):
    """The fenced blocks of these kinds: number of the first line, and text."""
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        if fence["kind"].split()[0] in kinds:
            yield text.count("\n", 0, fence.start("body")), fence["body"]


# -- names -----------------------------------------------------------------------------


def undocumented(name, thing):
    """Names among `thing` and its public members that nothing explains."""
    if not inspect.isroutine(thing) and not inspect.isclass(thing):
        return  # a constant: its module says what it is
    own = (thing.__doc__ or "").strip()
    if not own or own.startswith(f"{thing.__name__}("):  # which dataclasses write
        yield name
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            method = inspect.isroutine(value) or isinstance(value, property)
            if member[0] != "_" and method and not explained(thing, member):
                yield f"{name}.{member}"


def explained(cls, member):
    """Whether a class, or one that it inherits from, explains or declares a member."""
    return any(
        getattr(vars(base).get(member), "__doc__", None)
        or member in inspect.get_annotations(base)
        for base in cls.__mro__
    )


def test_every_module_says_what_it_is_about():
    assert [m.__name__ for m in modules() if not (m.__doc__ or "").strip()] == []


def test_every_public_name_has_a_docstring():
    missing = [
        lacking
        for module in modules()
        for name in getattr(module, "__all__", ())
        for lacking in undocumented(f"{module.__name__}.{name}", getattr(module, name))
    ]
    assert missing == []


def test_a_name_without_a_docstring_would_be_found():
    class Documented:
        """Yes."""

        def method(self):
            pass

    assert list(undocumented("f", lambda: None)) == ["f"]
    assert list(undocumented("D", Documented)) == ["D.method"]


def test_every_room_has_a_page_in_the_reference():
    rooms = {info.name for info in pkgutil.iter_modules(minikeras.__path__)}
    pages = {page.stem for page in (ROOT / "docs" / "reference").glob("*.md")}
    # How rooms are imported, and what `python -m` runs: nobody calls them.
    assert rooms - pages == {"lazy", "__main__"}


# -- pages -----------------------------------------------------------------------------


def run_blocks(page):
    """Run a page's Python in one namespace, as a reader would who types it."""
    namespace = {"__name__": "__main__"}
    for line, body in blocks(page, "python", "{code-cell}"):
        options = re.match(r"(:.*\n)*", body).end()
        source = "\n" * (line + body.count("\n", 0, options)) + body[options:]
        exec(compile(source, str(page), "exec"), namespace)


@by_page
def test_every_block_of_python_runs(page, monkeypatch):
    monkeypatch.chdir(page.parent)
    minikeras.utils.clear_session()
    run_blocks(page)


def test_the_readme_keeps_its_word(capsys):
    minikeras.utils.clear_session()
    run_blocks(ROOT / "README.md")
    *_, share, same = capsys.readouterr().out.splitlines()
    assert float(share.removesuffix(" right")) > 0.9
    assert same == "True"


@by_page
def test_every_piece_of_source_that_is_shown_exists(page):
    for line, body in blocks(page, "{literalinclude}"):
        file = page.read_text(encoding="utf-8").splitlines()[line - 1].split()[1]
        tree = ast.parse((page.parent / file).read_text(encoding="utf-8"))
        for part in re.findall(r":pyobject: ([\w.]+)", body):
            for name in part.split("."):
                defined = {
                    node.name: node for node in tree.body if hasattr(node, "name")
                }
                tree = defined[name]


@by_page
def test_every_block_of_json_is_json(page):
    for _, body in blocks(page, "json"):
        json.loads(body)


@by_page
def test_every_target_of_make_that_is_named_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    shell = "\n".join(body for _, body in blocks(page, "sh"))
    assert set(re.findall(r"^make ([a-z-]+)", shell, re.MULTILINE)) <= targets


@by_page
def test_every_link_to_a_file_leads_to_one(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = [match["path"] for match in LINK.finditer(text)]
    assert [link for link in links if not (page.parent / link).exists()] == []
