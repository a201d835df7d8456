"""Refuse files that are large, hold a conflict mark, or end wrongly.

    python tools/tidy.py file ...

A text file ends in one newline and no line ends in a space; no file is over 500 KB.
Called by pre-commit with the files of a commit.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

MOST_BYTES = 500_000
MARKS = re.compile(r"^(<{7} |>{7} |={7}$)", re.MULTILINE)


def faults(path: Path) -> list[str]:
    """Return what is wrong with one file."""
    data = path.read_bytes()
    if len(data) > MOST_BYTES:
        return [f"{len(data)} bytes, at most {MOST_BYTES}"]
    if b"\0" in data or not data:
        return []
    text = data.decode("utf-8", errors="replace")
    rules = {
        "a conflict mark": MARKS.search(text),
        "does not end in one newline": not re.search(r"[^\n]\n\Z", text),
        "a line ends in a space": re.search(r"[ \t]$", text, re.MULTILINE),
        "carriage returns": "\r" in text,
    }
    return [fault for fault, found in rules.items() if found]


def main(files: Sequence[str]) -> int:
    """Print every fault; return the exit status."""
    found = [f"{file}: {fault}" for file in files for fault in faults(Path(file))]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
