"""Mistakes in data that would not fail by themselves, found before the first step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.training.inputs import in_memory
from minikeras.tree import flatten_with_path

__all__ = ["check_inputs", "check_shapes", "check_targets"]

# Losses whose targets have another shape than the predictions.
LABEL_LOSSES = {"sparse_categorical_crossentropy"}
# Losses that Keras itself computes for equal shapes alone.
ALIKE = {"binary_crossentropy", "categorical_crossentropy"}
NONE = np.array([], int)
ROWS_TRIED = 8  # rows with NaN that the model is shown


def check_shapes(name: str, loss: Any, y_true: Any, y_pred: Any) -> None:
    """Compare the shapes of targets and predictions, where the loss wants them alike.

    Broadcasting would let training go on, towards something that nobody asked for. Only
    a single target for several predictions is taken for each of them, with a warning:
    so scripts for Keras have it that give targets which do not matter.

    Raises:
        ValueError: if they differ by more than a last axis of size 1.
    """
    wanted, got = y_pred.shape, y_true.shape
    if not _is_own(loss) or _is_for_labels(loss) or wanted is None or got is None:
        return
    if _same(wanted, got) or _same(_squeezed(wanted, got), _squeezed(got, wanted)):
        return
    if _function(loss).__name__ not in ALIKE and _same((*wanted[:-1], 1), got):
        warnings.warn(
            f"output '{name}' has shape {tuple(wanted)}, its targets {tuple(got)}: the "
            f"loss '{loss.name}' compares all {wanted[-1]} predictions with the one "
            "target.",
            stacklevel=2,
        )
        return
    raise ValueError(
        f"output '{name}' has shape {tuple(wanted)}, its targets {tuple(got)}: the "
        f"loss '{loss.name}' compares them element by element, so they must be the "
        f"same. "
        f"{_advice(wanted, got)}"
    )


def _same(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    return len(a) == len(b) and all(
        n is None or m is None or n == m for n, m in zip(a, b, strict=True)
    )


def _squeezed(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> Any:
    """Return `a` without a last axis of size 1 that `b` has not."""
    return a[:-1] if len(a) == len(b) + 1 and a[-1] == 1 else a


def _advice(wanted: tuple[int | None, ...], got: tuple[int | None, ...]) -> str:
    if len(got) == len(wanted) and got[:-1] == wanted[:-1]:
        return (
            f"Give the last layer {got[-1]} units, or the targets {wanted[-1]} columns."
        )
    if len(got) == len(wanted) - 1:
        return (
            "Targets that are the numbers of classes go with "
            "'sparse_categorical_crossentropy', or through `to_categorical` first."
        )
    return "Reshape the targets, or change the last layer."


def _function(loss: Any) -> Any:
    return getattr(loss, "fn", type(loss))


def _is_own(loss: Any) -> bool:
    """Whether we know what the loss does: it is not the user's own."""
    return _function(loss).__module__.startswith("minikeras.")


def _is_for_labels(loss: Any) -> bool:
    return _function(loss).__name__ in LABEL_LOSSES


# -- values ----------------------------------------------------------------------------


def check_inputs(x: Any, predict: Callable[[Any], Any], fatal: bool) -> None:
    """Look for NaN and infinity in the inputs that get through the model.

    Args:
        x: the inputs.
        predict: returns the model's outputs for some of them.
        fatal: whether to raise an error, or else to warn.

    Raises:
        ValueError: if there are such inputs, and they are `fatal`.
    """
    for path, array in flatten_with_path(x):
        rows = _not_finite(array) if in_memory(array) and array.size else NONE
        if len(rows) and not _bears(x, rows[:ROWS_TRIED], predict):
            label = "x" + "".join(f"[{key!r}]" for key in path)
            message = (
                f"{label} has NaN or infinite values in {len(rows)} of {len(array)} "
                f"rows, first in row {rows[0]}, and for these the model returns NaN"
            )
            if not fatal:
                warnings.warn(f"{message}: so will the loss be.", stacklevel=5)
                return
            raise ValueError(
                f"{message}: a single step would make NaN of its weights. Remove these "
                "rows, or give them values; with the callback `TerminateOnNaN` "
                "training begins all the same."
            )


def _bears(x: Any, rows: Any, predict: Callable[[Any], Any]) -> bool:
    """Whether the model's outputs for these rows of the inputs are finite."""
    some = K.tree.map_structure(lambda a: a if a is None else np.asarray(a[rows]), x)
    outputs = K.tree.flatten(predict(some))
    return all(np.isfinite(y).all() for y in outputs if y.dtype.kind == "f")


def check_targets(terms: Iterable[Any], targets: list[Any]) -> None:
    """Look at the values of targets.

    Raises:
        ValueError: if one is NaN or infinite, or a label is not among the classes.
    """
    for term in terms:
        for y in _in_memory(K.tree.flatten(term.of(targets))):
            if _is_own(term.loss):
                _check_finite(term, y)
                if _is_for_labels(term.loss):
                    _check_labels(term, y)


def _in_memory(arrays: Iterable[Any]) -> list[np.ndarray[Any, Any]]:
    """Return those that can be looked at without reading a file."""
    return [a for a in arrays if in_memory(a) and a.size]


def _check_finite(term: Any, y: np.ndarray[Any, Any]) -> None:
    rows = _not_finite(y)
    if len(rows):
        raise ValueError(
            f"output '{term.name}': its targets are NaN or infinite in {len(rows)} of "
            f"{len(y)} rows, first in row {rows[0]}. Remove these rows, or give them "
            "values and a sample weight of 0."
        )


def _check_labels(term: Any, y: np.ndarray[Any, Any]) -> None:
    """Raise ValueError if a label is not the number of a class."""
    classes = term.shape[getattr(term.loss, "axis", -1)]
    ignored = getattr(term.loss, "ignore_class", None)
    if classes is None or y.dtype.kind not in "iuf":
        return
    wrong = (y < 0) | (y >= classes)
    if y.dtype.kind == "f":
        wrong |= y != np.floor(y)
    if ignored is not None:
        wrong &= y != ignored
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), y.shape)
        count = int(wrong.sum())
        raise ValueError(
            f"output '{term.name}': label {y[place].item()} in row {place[0]} of y is "
            f"not one of its {classes} classes, which are numbered 0 to {classes - 1} "
            f"({count} such label{'s' if count > 1 else ''} in all). Give the last "
            "layer one unit for each class, and number the classes from 0."
        )


def _is_finite(array: np.ndarray[Any, Any]) -> bool:
    """Whether no value is NaN or infinite: quickly, as mostly that is so."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(np.sum(array))
    return math.isfinite(total) or bool(np.isfinite(array).all())


def _not_finite(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the numbers of the rows with NaN or infinite values."""
    if array.dtype.kind != "f" or _is_finite(array):
        return NONE
    return np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
