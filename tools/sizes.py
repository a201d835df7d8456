"""Hold functions and files to a size that fits on a screen.

    python tools/sizes.py [path ...]

A code line is one that is neither blank, nor a comment, nor part of a docstring.
Prints a table of the rooms, and the median and the 95th percentile of the functions'
lengths; names every function over 40 code lines and every file over 400, and then
exits with status 1.
"""

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FUNCTION_LIMIT = 40
FILE_LIMIT = 400
DEFAULT_PATHS = ("minikeras", "tools", "examples")

NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class Size:
    """The code lines of one file or function; `where` is clickable in an editor."""

    where: str
    lines: int


@dataclass(frozen=True)
class Measured:
    """One file's size, with those of all functions in it."""

    room: str
    file: Size
    functions: tuple[Size, ...]


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(ast.parse(source))


def docstring_lines(tree: ast.Module) -> set[int]:
    """Return the numbers of the lines that docstrings take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, Documented) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            lines.update(range(docstring.lineno, docstring.end_lineno + 1))
    return lines


def measure(path: Path) -> Measured:
    """Measure one file. A function's length has its signature, not its decorators."""
    source = path.read_text(encoding="utf-8")
    lines = code_lines(source)
    functions = tuple(
        Size(
            f"{path}:{node.lineno} {node.name}",
            len(lines & set(range(node.lineno, node.end_lineno + 1))),
        )
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function)
    )
    return Measured(room_of(path), Size(str(path), len(lines)), functions)


def room_of(path: Path) -> str:
    """Return the folder below `minikeras` (or another root) that a file belongs to.

    >>> room_of(Path("minikeras/engine/ops/linalg.py"))
    'minikeras/engine'
    >>> room_of(Path("minikeras/callbacks.py"))
    'minikeras'
    """
    folders = path.parts[:-1]
    roots = [i for i, part in enumerate(folders) if part in DEFAULT_PATHS]
    start = roots[-1] if roots else 0
    return "/".join(folders[start : start + 2]) or "."


def python_files(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the Python files under the paths, in order."""
    for path in map(Path, paths):
        if not path.exists():
            raise SystemExit(f"sizes: {path} does not exist")
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def too_long(files: Sequence[Measured]) -> list[str]:
    """Return one line for each file and each function over its limit."""
    functions = [function for file in files for function in file.functions]
    return [
        f"{size.where}: {size.lines} code lines, at most {limit}"
        for sizes, limit in (
            ([file.file for file in files], FILE_LIMIT),
            (functions, FUNCTION_LIMIT),
        )
        for size in sizes
        if size.lines > limit
    ]


def percentile(values: Sequence[int], share: float) -> int:
    """Return the smallest value that at least `share` of the values do not exceed.

    >>> percentile([1, 2, 3, 4], 0.5)
    2
    """
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # the ceiling
    return ordered[max(rank, 1) - 1] if ordered else 0


def table(files: Sequence[Measured]) -> str:
    """Return the rooms' totals, and how long functions are."""
    rows = [f"{'room':<28}{'files':>7}{'functions':>11}{'code lines':>12}"]
    for room in sorted({file.room for file in files}):
        inside = [file for file in files if file.room == room]
        functions = sum(len(file.functions) for file in inside)
        lines = sum(file.file.lines for file in inside)
        rows.append(f"{room:<28}{len(inside):>7}{functions:>11}{lines:>12}")
    lengths = [function.lines for file in files for function in file.functions]
    total = sum(file.file.lines for file in files)
    rows.append(f"{'total':<28}{len(files):>7}{len(lengths):>11}{total:>12}")
    rows.append(
        f"function length: median {statistics.median(lengths or [0]):g}, "
        f"95th percentile {percentile(lengths, 0.95)}"
    )
    return "\n".join(rows)


def main(arguments: Sequence[str]) -> int:
    """Print the table and the violations; return the exit status."""
    paths = arguments or [path for path in DEFAULT_PATHS if Path(path).exists()]
    files = [measure(path) for path in python_files(paths)]
    print(table(files))
    violations = too_long(files)
    print("\n".join(violations), file=sys.stderr, end="\n" if violations else "")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
