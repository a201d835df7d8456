"""The notebook runner: that it keeps outputs, and that it can fail."""

import json

import pytest

GOOD = """\
# %% [markdown]
# # A title

# %%
x = 6 * 7
x
"""
BAD = """\
# %%
print("before")

# %%
1 / 0
"""


@pytest.fixture
def notebooks(monkeypatch, tmp_path):
    notebooks = pytest.importorskip("tools.notebooks")
    monkeypatch.setattr(notebooks, "EXECUTED", tmp_path / "executed")
    return notebooks


def test_outputs_are_written(notebooks, tmp_path, capsys):
    source = tmp_path / "good.py"
    source.write_text(GOOD)
    assert notebooks.main([str(source)]) == 0
    executed = json.loads((tmp_path / "executed" / "good.ipynb").read_text())
    title, code = executed["cells"]
    assert title["cell_type"] == "markdown"
    assert code["outputs"][0]["data"]["text/plain"] == ["42"]
    assert "1 of 1 notebooks ran" in capsys.readouterr().out


def test_a_cell_that_raises_fails_the_run_and_is_shown(notebooks, tmp_path, capsys):
    source = tmp_path / "bad.py"
    source.write_text(BAD)
    assert notebooks.main([str(source)]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    executed = json.loads((tmp_path / "executed" / "bad.ipynb").read_text())
    assert executed["cells"][0]["outputs"][0]["text"] == ["before\n"]
