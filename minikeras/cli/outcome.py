"""What a subcommand returns, and tables in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["DIFFERENT", "FINE", "WRONG", "Outcome", "table"]

# Exit codes: as of diff and grep.
FINE, DIFFERENT, WRONG = 0, 1, 2


@dataclass(frozen=True)
class Outcome:
    """What a subcommand found.

    Attributes:
        text: for a reader.
        data: the same for a program: what ``--json`` prints.
        code: the exit code.
    """

    text: str
    data: Any = None
    code: int = FINE


def table(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str] = ()
) -> str:
    """Return rows below headings, in columns as wide as they need be.

    Args:
        headings: of the columns.
        rows: their cells.
        right: headings of columns that are aligned at the right.

    Example:
        >>> print(table(["layer", "size"], [["dense", 12]], right=["size"]))
        layer  size
        dense    12
    """
    cells = [[*headings], *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if heading in right else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)
