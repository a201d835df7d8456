"""From what users pass to `fit` to batches: arrays in any nesting, or an iterable."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.data import ArrayBatches, Passes, split_rows
from minikeras.training.foreign import as_loader, native

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]

BATCH_SIZE = 32  # rows, where nobody says how many


@dataclass
class Batches:
    """Batches of ``(x, y, sample_weight)``.

    Attributes:
        passes: yields each batch: a flat list of arrays, or their nesting if they come
            from an iterable.
        first: the data in its nesting: all rows, or of an iterable the first batch.
        complete: whether that is all.
    """

    passes: Passes
    first: Any
    complete: bool = True

    def __post_init__(self) -> None:
        self.passes.mark = random_state

    @property
    def sample(self) -> Any:
        """A first row of the data, in its nesting."""
        return filled(self.first, [array[:1] for array in leaves_of(self.first)])

    @property
    def steps(self) -> int | None:
        """Batches per epoch, None if unknown."""
        return self.passes.length


def batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    class_weight: dict[int, float] | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
) -> Batches:
    """Return the batches of what was passed to `fit`, `evaluate` or `predict`.

    Raises:
        ValueError: if arrays differ in length or are empty, or arguments exclude each
            other.
    """
    for name, value in (("batch_size", batch_size), ("steps", steps)):
        if value is not None and (not isinstance(value, numbers.Integral) or value < 1):
            raise ValueError(f"{name} is an integer above 0; got {value!r}")
    x = as_loader(x, batch_size or BATCH_SIZE, shuffle)
    if is_stream(x):
        if y is not None or sample_weight is not None:
            raise ValueError(
                f"When providing `x` as a {type(x).__name__}, `y` and `sample_weight` "
                "should not be passed: it yields `(x, y)` or `(x, y, sample_weight)`."
            )
        return _of_stream(x, class_weight, steps)
    data = packed(x, y, sample_weight, class_weight)
    columns = leaves_of(data)
    size = batch_size or (-(-len(columns[0]) // steps) if steps else BATCH_SIZE)
    rows = ArrayBatches(columns, size, shuffle, fresh_rng)
    if all(map(in_memory, columns)):
        return Batches(Passes(rows, limited(steps)), data)
    seen = [a if in_memory(a) else as_array(a[:1]) for a in columns]
    passes = Passes(rows, limited(steps), lambda batch: [as_array(a) for a in batch])
    return Batches(passes, filled(data, seen))


def random_state() -> np.ndarray[Any, Any]:
    """Return the state of the global generator, which the order of rows depends on."""
    return K.global_seed_generator().state.numpy()


def limited(steps: int | None) -> int | None:
    """Return `steps` per epoch, or fewer if ``config.set_max_steps_per_epoch`` says."""
    most = K.max_steps_per_epoch()
    if not most or (steps and steps <= most):
        return steps
    warnings.warn(f"Limiting steps_per_epoch to {most}", stacklevel=2)
    return most


def split(data: tuple[Any, Any, Any], share: float) -> tuple[Any, Any]:
    """Return ``(x, y, sample_weight)`` of the first rows, and of the last ones.

    Raises:
        ValueError: if these are no arrays, or one part would be empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation_split is between 0 and 1; got {share}")
    if is_stream(data[0]):
        raise ValueError(
            "Argument `validation_split` is only supported for arrays; got "
            f"{type(data[0]).__name__}. Pass `validation_data`."
        )
    nested = tuple(map(standardized, data))
    check_lengths(nested)
    columns = leaves_of(nested)
    try:
        parts = split_rows(columns, share)
    except ValueError:
        raise ValueError(
            f"Training data contains {len(columns[0])} samples, which is not "
            "sufficient to split it into a validation and training set as specified by "
            f"`validation_split={share}`. Either provide more data, or a different "
            "value for the `validation_split` argument."
        ) from None
    first, last = (filled(nested, part) for part in parts)
    return first, last


def held_out_batches(
    data: Any, batch_size: int | None, steps: int | None
) -> Batches | None:
    """Return the batches of `fit`'s ``validation_data``, None if there are no such."""
    if data is None:
        return None
    parts = (data, None, None) if is_stream(data) else unpack_x_y_sample_weight(data)
    return batches(*parts, batch_size=batch_size, steps=steps)


def is_one_batch(x: Any, batch_size: int | None) -> bool:
    """Whether `x` is a plain array with no more rows than a batch has."""
    size = BATCH_SIZE if batch_size is None else batch_size
    return in_memory(x) and x.ndim > 0 and 0 < len(x) <= size


def joined(parts: Sequence[Any]) -> Any:
    """Return the outputs for several batches as those for one."""
    if len(parts) == 1:
        return parts[0]
    return K.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def fresh_rng() -> np.random.Generator:
    """Return a source of random numbers: the next one of the global seed's sequence."""
    key = K.eval(K.draw_seed(None)).astype(np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


# -- arrays ----------------------------------------------------------------------------


def packed(
    x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
) -> Any:
    """Return what a step is given: arrays, in the form of `pack_x_y_sample_weight`.

    Raises:
        ValueError: if arrays differ in length or are empty.
    """
    if type(x) is np.ndarray and x.size and y is sample_weight is class_weight is None:
        return x  # as it is: a prediction for a single sample takes microseconds
    x, y, sample_weight = (standardized(part) for part in (x, y, sample_weight))
    check_lengths((x, y, sample_weight))
    for array in leaves_of((y, sample_weight)):
        if getattr(array, "dtype", None) == "object":
            raise ValueError(_needs_numbers(array))
    if class_weight is not None:
        if sample_weight is not None:
            raise ValueError(
                "You cannot `class_weight` and `sample_weight` at the same time."
            )
        sample_weight = weights_of_classes(y, class_weight)
    return pack_x_y_sample_weight(x, y, sample_weight)


def batch_of(*parts: Any) -> Any:
    """Return what `packed` makes of one batch, all of it in memory."""
    data = packed(*parts)
    if type(data) is np.ndarray:
        return data
    leaves = [a if in_memory(a) else as_array(a[:]) for a in leaves_of(data)]
    return filled(data, leaves)


def standardized(value: Any) -> Any:
    """Return `value` with arrays for leaves: a list of numbers or text is one."""
    if not K.tree.is_nested(value):
        return None if value is None else _column(value)
    leaves = K.tree.flatten(value)
    is_row = leaves and all(isinstance(leaf, (numbers.Number, str)) for leaf in leaves)
    if is_row and not isinstance(value, dict):
        return as_array(value)
    return K.tree.map_structure(standardized, value)


def in_memory(array: Any) -> bool:
    """Whether it is a plain array, whose rows can be had without reading a file."""
    return type(array) is np.ndarray


def _column(value: Any) -> Any:
    """Return an array; what lies on disk stays there until its rows are read."""
    value = value if type(value) is np.ndarray else native(value)
    on_disk = isinstance(value, np.memmap) or not hasattr(value, "__array__")
    return value if on_disk and hasattr(value, "shape") else as_array(value)


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """Return a NumPy array, with floating-point numbers as floatx, text as objects.

    Raises:
        ValueError: if it is made of neither numbers nor text, or has no first axis.
    """
    array = np.asarray(value)
    if is_text(array):
        array = K.as_text(array)
    elif array.dtype.kind not in "biufc":
        raise ValueError(_needs_numbers(array))
    if not array.ndim:
        raise ValueError(
            "an array with one row per sample is needed; got a single number"
        )
    return array.astype(K.floatx(), copy=False) if array.dtype.kind == "f" else array


def _needs_numbers(array: np.ndarray[Any, Any]) -> str:
    return (
        f"numbers are needed; got an array of dtype {array.dtype} and shape "
        f"{array.shape}. Convert text and missing values to numbers first."
    )


def is_text(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array is made of strings, and of nothing else."""
    if array.dtype.kind != "O":
        return array.dtype.kind in "UST"
    return all(isinstance(x, (str, bytes)) for x in array.reshape(-1).tolist())


def check_lengths(data: Sequence[Any]) -> None:
    """Compare the numbers of samples in x, y and sample_weight.

    Raises:
        ValueError: if they differ, or there are none.
    """
    found = {len(a) for a in leaves_of(data)}
    if not found:
        raise ValueError("`x` holds no array: pass one, or a list or dict of them")
    if len(found) > 1:
        sizes = [[str(len(a)) for a in leaves_of(part)] for part in data]
        listed = "".join(
            f"\n'{name}' sizes: {', '.join(part)}"
            for name, part in zip(("x", "y", "sample_weight"), sizes, strict=True)
            if part
        )
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same "
            f"number of samples.{listed}"
        )
    if found == {0}:
        raise ValueError("`x` has no samples: its first axis is 0")


def weights_of_classes(y: Any, class_weight: dict[int, float]) -> np.ndarray[Any, Any]:
    """Return each sample's weight: that of its class, 1 where none is given.

    Args:
        y: numbers of classes, or one-hot rows.
        class_weight: from the number of a class to its weight.

    Raises:
        ValueError: if `y` is not one array.
    """
    if y is None or K.tree.is_nested(y):
        raise ValueError(
            "`class_weight` is only supported for Models with a single output."
        )
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels.squeeze(-1)
    classes, places = np.unique(np.round(labels).astype(int), return_inverse=True)
    weights = [class_weight.get(number, 1.0) for number in classes.tolist()]
    return np.array(weights, K.floatx())[places].reshape(labels.shape)


def leaves_of(structure: Any) -> list[Any]:
    """Return the leaves of a nesting that are not None."""
    return [leaf for leaf in K.tree.flatten(structure) if leaf is not None]


def filled(structure: Any, leaves: Iterable[Any]) -> Any:
    """Return `structure` with `leaves` in place of those that are not None."""
    rest = iter(leaves)
    return K.tree.map_structure(lambda x: x if x is None else next(rest), structure)


# -- iterables -------------------------------------------------------------------------


def is_stream(x: Any) -> bool:
    """Whether `x` yields batches: an iterable, but neither array nor nesting."""
    arraylike = hasattr(x, "__array__") or hasattr(x, "shape")
    return hasattr(x, "__iter__") and not (arraylike or K.tree.is_nested(x))


def _of_stream(source: Any, class_weight: Any, steps: int | None) -> Batches:
    """Return the batches that an iterable yields, all of one nesting."""
    passes = Passes(source, limited(steps))
    try:
        first = batch_of(*unpack_x_y_sample_weight(passes.peek()), class_weight)
    except StopIteration:
        raise ValueError(f"`x`, a {type(source).__name__}, yields no batch") from None
    form = _form(first)

    def prepare(batch: Any) -> Any:
        data = batch_of(*unpack_x_y_sample_weight(batch), class_weight)
        if _form(data) != form:
            raise ValueError(
                f"`x`, a {type(source).__name__}, yields batches of different forms: "
                f"first {form}, then {_form(data)}"
            )
        return data

    passes.prepare = prepare
    return Batches(passes, first, complete=False)


def _form(data: Any) -> Any:
    """Return the nesting of a batch, comparable to that of others."""
    return K.tree.map_structure(lambda x: x if x is None else "array", data)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and sample_weight, None for those that `data` does not have.

    Raises:
        ValueError: if `data` has more than three parts.

    Example:
        >>> unpack_x_y_sample_weight(("x", "y"))
        ('x', 'y', None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, "
            f"sample_weight)`, found: {len(data)} parts"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return what `unpack_x_y_sample_weight` takes apart, without trailing Nones.

    Example:
        >>> pack_x_y_sample_weight("x"), pack_x_y_sample_weight("x", "y")
        ('x', ('x', 'y'))
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x
