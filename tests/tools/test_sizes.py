"""The size gate: that it counts code alone, and that it can fail."""

import textwrap
from pathlib import Path

import pytest

from tools import sizes


def write(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source))
    return path


def function_of(code_lines: int) -> str:
    return "def f():\n" + "    x = 1\n" * (code_lines - 1)


def test_blank_lines_comments_and_docstrings_do_not_count(tmp_path):
    file = write(
        tmp_path / "a.py",
        '''
        """Module
        docstring."""

        # a comment
        X = """a string that is
        not a docstring"""


        class A:
            """One line."""

            def f(self):  # the comment is beside code
                """Two
                lines."""
                # why

                return X
        ''',
    )
    measured = sizes.measure(file)
    assert measured.file.lines == 5  # X (2), class, def, return
    assert [function.lines for function in measured.functions] == [2]


def test_a_call_over_many_lines_counts_them_all(tmp_path):
    file = write(tmp_path / "a.py", "def f(\n    a,\n    b,\n):\n    return a + b\n")
    assert sizes.measure(file).functions[0].lines == 5


@pytest.mark.parametrize(("length", "status"), [(40, 0), (41, 1)])
def test_a_function_over_40_code_lines_fails(tmp_path, capsys, length, status):
    write(tmp_path / "a.py", function_of(length))
    assert sizes.main([str(tmp_path)]) == status
    assert ("a.py:1 f: 41 code lines, at most 40" in capsys.readouterr().err) == status


@pytest.mark.parametrize(("length", "status"), [(400, 0), (401, 1)])
def test_a_file_over_400_code_lines_fails(tmp_path, capsys, length, status):
    write(tmp_path / "a.py", "x = 1\n" * length)
    assert sizes.main([str(tmp_path)]) == status
    assert ("a.py: 401 code lines, at most 400" in capsys.readouterr().err) == status


def test_a_method_and_a_nested_function_are_measured_too(tmp_path):
    nested = textwrap.indent(textwrap.indent(function_of(41), "    "), "    ")
    write(tmp_path / "a.py", "class A:\n    async def g(self):\n" + nested)
    assert sizes.main([str(tmp_path)]) == 1


def test_the_table_has_a_row_for_each_room(tmp_path, capsys):
    write(tmp_path / "minikeras/engine/ops/linalg.py", function_of(3))
    write(tmp_path / "minikeras/engine/graph.py", function_of(5))
    write(tmp_path / "minikeras/layers/core.py", function_of(7))
    assert sizes.main([str(tmp_path / "minikeras")]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    assert ["minikeras/engine", "2", "2", "8"] in rows
    assert ["minikeras/layers", "1", "1", "7"] in rows
    assert ["total", "3", "3", "15"] in rows
    assert lines[-1] == "function length: median 5, 95th percentile 7"


def test_a_missing_path_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match="does not exist"):
        sizes.main([str(tmp_path / "nowhere")])
