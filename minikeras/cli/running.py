"""``minikeras run FILE INPUT``: a model's predictions for the rows of a file."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from minikeras import saving, tree
from minikeras.cli.arrays import as_text, read_arrays, write_arrays
from minikeras.cli.outcome import Outcome

__all__ = ["add_arguments", "run"]

HELP = "Print a model's predictions for the rows of a file."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", help="a model: .keras, or .h5")
    parser.add_argument(
        "input",
        help="rows: .npy, .csv, .json; several inputs by name: .npz, .json; "
        "- reads the standard input",
    )
    parser.add_argument(
        "-o", "--output", help="write a .npy, .npz, .csv or .json; else JSON is printed"
    )
    parser.add_argument(
        "--import",
        dest="modules",
        metavar="MODULE",
        action="append",
        default=[],
        help="import this module first, which registers the model's own classes",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="rows at a time")


def run(given: argparse.Namespace) -> Outcome:
    """Return the predictions."""
    for module in given.modules:
        importlib.import_module(module)
    x = read_arrays(given.input)
    model = saving.load_model(given.file, compile=False)
    found = model.predict(x, batch_size=given.batch_size, verbose=0)
    outputs = named_outputs(model, found)
    if given.output:
        write_arrays(given.output, outputs)
        return Outcome("")
    return Outcome(as_text(outputs))


def named_outputs(model: Any, found: Any) -> Any:
    """Return predictions as one array, or several by name."""
    if isinstance(found, dict):
        return found
    arrays = tree.flatten(found)
    if len(arrays) == 1:
        return arrays[0]
    names = getattr(model, "output_names", None) or map(str, range(len(arrays)))
    return dict(zip(names, arrays, strict=False))
