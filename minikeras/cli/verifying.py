"""``minikeras verify FILE``: a model's predictions here, and those of Keras."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minikeras import saving, tree
from minikeras.cli import with_keras
from minikeras.cli.arrays import read_arrays
from minikeras.cli.outcome import DIFFERENT, FINE, Outcome, table

__all__ = ["add_arguments", "run"]

HELP = (
    "Compare a model's predictions with those of Keras, which runs in a process of its "
    "own. The exit code is 1 if they differ by more than the tolerance."
)
ROWS, UNKNOWN = 4, 32  # of what is drawn: rows, and sizes that the model leaves open


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", help="a model: .keras, or .h5")
    parser.add_argument("--input", help="rows to predict; drawn at random by default")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=1e-4,
        help="largest difference, as a share of the largest output if that is above 1",
    )
    parser.add_argument(
        "--python", default=sys.executable, help="an interpreter that has Keras"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> Outcome:
    """Return the differences."""
    model = saving.load_model(given.file, compile=False)
    x = read_arrays(given.input) if given.input else drawn(model, given.seed)
    ours = [np.asarray(y) for y in tree.flatten(model.predict(x, verbose=0))]
    theirs, version = keras_predictions(given.python, given.file, x)
    if [y.shape for y in ours] != [y.shape for y in theirs]:
        raise ValueError(
            f"the outputs have shapes {[y.shape for y in ours]} here, and "
            f"{[y.shape for y in theirs]} in {version}"
        )
    names = getattr(model, "output_names", None) or [str(i) for i in range(len(ours))]
    rows = [_row(*each) for each in zip(names, ours, theirs, strict=False)]
    fine = all(row["scaled"] <= given.tolerance for row in rows)
    cells = [
        (
            row["output"],
            row["shape"],
            f"{row['largest']:.3g}",
            f"{row['difference']:.3g}",
        )
        for row in rows
    ]
    headings = ("output", "shape", "largest value", "largest difference")
    verdict = "the same" if fine else "different"
    text = f"{given.file}: {verdict} as in {version}, within {given.tolerance:g}"
    if not fine:
        text = (
            f"{given.file}: different from {version} by more than {given.tolerance:g}"
        )
    data = {"file": given.file, "keras": version, "same": fine, "outputs": rows}
    code = FINE if fine else DIFFERENT
    return Outcome(f"{text}\n\n{table(headings, cells)}", data, code)


def _row(name: str, ours: Any, theirs: Any) -> dict[str, Any]:
    """Return how far two arrays are apart; a NaN in one alone is infinitely far."""
    if ours.dtype.kind not in "fiub":
        difference = 0.0 if (ours == theirs).all() else np.inf
        largest = 0.0
    else:
        here, there = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
        same = (here == there) | (np.isnan(here) & np.isnan(there))
        with np.errstate(invalid="ignore"):
            apart = np.where(same, 0.0, np.abs(here - there))
        apart[np.isnan(apart)] = np.inf
        difference = float(np.max(apart, initial=0.0))
        finite = np.abs(there[np.isfinite(there)])
        largest = float(np.max(finite, initial=0.0))
    scaled = difference / max(1.0, largest)
    return {
        "output": str(name),
        "shape": str(ours.shape),
        "largest": largest,
        "difference": difference,
        "scaled": scaled,
    }


# -- inputs ----------------------------------------------------------------------------


def drawn(model: Any, seed: int) -> Any:
    """Return random inputs of the shapes that a model takes.

    Raises:
        ValueError: if the model does not say, or takes text.
    """
    inputs = getattr(model, "inputs", None)
    if not inputs or any(str(x.dtype) == "string" for x in inputs):
        raise ValueError(
            "this model's inputs cannot be drawn at random, as it does not say what "
            "shapes they have, or takes text: give rows with --input FILE"
        )
    rng = np.random.default_rng(seed)
    limit = min(_vocabularies(model.get_config()), default=None)
    arrays = [_array(rng, x, limit) for x in inputs]
    struct = getattr(model, "_inputs_struct", None)
    if isinstance(struct, dict):
        return dict(zip(sorted(struct), arrays, strict=True))
    return arrays if len(arrays) > 1 else arrays[0]


def _array(rng: np.random.Generator, x: Any, limit: int | None) -> Any:
    shape = [ROWS, *(UNKNOWN if size is None else size for size in x.shape[1:])]
    dtype = str(x.dtype)
    if limit is not None or not dtype.startswith(("float", "bfloat")):
        return rng.integers(0, limit or 2, shape).astype(dtype)
    return rng.standard_normal(shape).astype("float32" if "16" in dtype else dtype)


def _vocabularies(config: Any) -> Iterator[int]:
    """Yield how many different integers the embeddings of a model take."""
    left = [config]
    while left:
        part = left.pop()
        if isinstance(part, Mapping):
            if isinstance(part.get("input_dim"), int) and "output_dim" in part:
                yield part["input_dim"]
            left += part.values()
        elif isinstance(part, (list, tuple)):
            left += part


# -- Keras -----------------------------------------------------------------------------


def keras_predictions(python: str, file: str, x: Any) -> tuple[list[Any], str]:
    """Return what Keras predicts, and which version it is.

    Raises:
        RuntimeError: if Keras is missing, or fails.
    """
    named = x if isinstance(x, dict) else dict(enumerate(tree.flatten(x)))
    script = Path(str(with_keras.__file__)).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        given, found = str(Path(folder, "x.npz")), str(Path(folder, "y.npz"))
        np.savez(given, **{str(name): array for name, array in named.items()})
        command = [python, "-c", script, str(Path(file).resolve()), given, found]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == with_keras.MISSING:
            raise RuntimeError(
                f"Keras is not installed for {python}: `pip install keras jax`, or "
                "name an interpreter that has it with --python"
            )
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
            raise RuntimeError(f"Keras could not run {file}: {said[-1]}")
        with np.load(found, allow_pickle=False) as arrays:
            outputs = [arrays[f"arr_{i}"] for i in range(len(arrays.files))]
    return outputs, done.stdout.strip().splitlines()[-1]
