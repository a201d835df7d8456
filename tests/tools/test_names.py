"""The table of Keras's names: complete, up to date, and never shorter."""

import re

import pytest

from tools import names


def test_the_list_of_names_is_kerass():
    keras = pytest.importorskip("keras")
    version, listed = names.read()
    if keras.__version__ != version:
        pytest.skip(f"the list is of Keras {version}, and {keras.__version__} is here")
    assert listed == names.of_keras()


def test_no_name_has_disappeared():
    noted = names.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)` \| \d+ of \d+ \|(.*)\|$", noted, re.MULTILINE)
    missing = {room: set(re.findall(r"`(\w+)`", cell)) for room, cell in rows}
    lost = {
        f"{room}.{name}"
        for room, lacking in names.missing().items()
        for name in set(lacking) - missing[room]
    }
    assert lost == set()


def test_the_page_is_up_to_date():
    noted = names.PAGE.read_text(encoding="utf-8")
    assert noted == names.page(), "run `python tools/names.py`"


def test_a_missing_name_would_be_found(tmp_path, monkeypatch):
    monkeypatch.setattr(names, "LIST", tmp_path / "names.txt")
    names.write("9.9", {"keras": ["Model", "Nonsense"], "keras.nowhere": ["it"]})
    assert names.read() == (
        "9.9",
        {"keras": ["Model", "Nonsense"], "keras.nowhere": ["it"]},
    )
    assert names.missing() == {"keras": ["Nonsense"], "keras.nowhere": ["it"]}
    page = names.page()
    assert "of the 3 public names of Keras 9.9, 1 are" in page
    assert "| `keras` | 1 of 2 | `Nonsense` |" in page
