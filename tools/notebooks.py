"""Execute the notebooks, and fail if a cell raises.

    python tools/notebooks.py [source ...]

The sources are Python files in jupytext's percent form, so that they can be read,
compared and linted: examples/notebooks/*.py by default. Each runs in the folder of its
source; the executed notebook, with its outputs, goes to build/notebooks.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SOURCES = Path("examples/notebooks")
EXECUTED = Path("build/notebooks")
SECONDS_A_CELL = 600


def execute(source: Path, folder: Path) -> str | None:
    """Run one notebook, write it, even half done, and return its error, if any.

    The kernel is this process's own Python: no kernel need be installed by name.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(source.parent)}},
        extra_arguments=["--log-level=ERROR"],  # not that the kernel listens on TCP
    )
    failure = None
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        failure = str(error)
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{source.stem}.ipynb")
    return failure


def main(arguments: Sequence[str]) -> int:
    """Execute the given sources, or all; return the exit status."""
    sources = [Path(name) for name in arguments] or sorted(SOURCES.glob("*.py"))
    failed = []
    for source in sources:
        began = time.perf_counter()
        failure = execute(source, EXECUTED)
        seconds = time.perf_counter() - began
        print(
            f"{'FAILED' if failure else 'ok':<7}{source} ({seconds:.1f} s)", flush=True
        )
        if failure:
            failed.append(source)
            print(failure, file=sys.stderr)
    print(
        f"{len(sources) - len(failed)} of {len(sources)} notebooks ran; see {EXECUTED}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
