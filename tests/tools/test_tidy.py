"""The gate on files: each fault is found, and a good file has none."""

import pytest

from tools import tidy


@pytest.mark.parametrize(
    "data, fault",
    [
        (b"x = 1", "does not end in one newline"),
        (b"x = 1\n\n", "does not end in one newline"),
        (b"x = 1 \n", "a line ends in a space"),
        (b"x = 1\r\n", "carriage returns"),
        (b"<" * 7 + b" ours\n", "a conflict mark"),
        (b"x" * 500_001, "500001 bytes"),
    ],
)
def test_a_fault_is_named_and_fails(tmp_path, capsys, data, fault):
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    assert tidy.main([str(file)]) == 1
    assert fault in capsys.readouterr().err


@pytest.mark.parametrize(
    "data", [b"", b"x = 1\n", b"\x89PNG\0\r\n \n", b"Title\n=====\n"]
)
def test_a_good_file_passes(tmp_path, data):
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    assert tidy.main([str(file)]) == 0
