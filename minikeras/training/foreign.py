"""Data of other libraries: tables, tensors and sparse matrices as NumPy arrays.

None of these libraries is imported here. A value can be one of theirs only where they
have been imported already, and there they are asked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minikeras import backend as K

__all__ = ["as_loader", "native"]

Array = np.ndarray[Any, Any]
NUMBERS = "biufc"  # NumPy's kinds of dtypes


class SparseRows:
    """A sparse matrix, whose rows become dense when they are taken.

    Args:
        matrix: one of SciPy's.
    """

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix.tocsr()  # the form that has rows
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        return self._matrix[rows].toarray()


def _pandas_frame(frame: Any) -> Array:
    kinds = {str(name): kind for name, kind in frame.dtypes.items()}
    _demand_numbers(kinds, [n for n, kind in kinds.items() if kind.kind not in NUMBERS])
    if all(kind.kind not in NUMBERS for kind in kinds.values()):
        return frame.to_numpy()
    return frame.to_numpy(_common(kinds.values(), frame), na_value=np.nan)


def _pandas_series(series: Any) -> Array:
    if series.dtype.kind not in NUMBERS:
        return series.to_numpy()[:, None]
    return series.to_numpy(_common([series.dtype], series), na_value=np.nan)[:, None]


def _common(kinds: Iterable[Any], values: Any) -> Any:
    """Return a dtype for all columns; pandas's own have a NumPy one beside them."""
    if values.isna().to_numpy().any():
        return K.floatx()
    return np.result_type(*[getattr(kind, "numpy_dtype", kind) for kind in kinds])


def _polars_frame(frame: Any) -> Array:
    boolean = sys.modules["polars"].Boolean
    others = [
        name
        for name, kind in frame.schema.items()
        if not kind.is_numeric() and kind != boolean
    ]
    _demand_numbers(dict(frame.schema), others)
    return frame.to_numpy()


def _demand_numbers(kinds: dict[str, Any], others: list[str]) -> None:
    """Refuse a table of which some columns are numbers and others are not.

    Raises:
        ValueError: if it is one.
    """
    if others and len(others) < len(kinds):
        listed = ", ".join(f"{name!r} ({kinds[name]})" for name in others)
        raise ValueError(
            f"numbers are needed; got a table with other columns too: {listed}. "
            "Convert them to numbers, or pass a dict with an array for each column."
        )


def _torch_tensor(tensor: Any) -> Array:
    tensor = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    torch = sys.modules["torch"]
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy()


def _tensorflow_sparse(tensor: Any) -> Array:
    values = np.asarray(tensor.values)
    dense = np.zeros(np.asarray(tensor.dense_shape), values.dtype)
    dense[tuple(np.asarray(tensor.indices).T)] = values
    return dense


# Module and name of a class, and how to have an array of one.
CONVERSIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_series,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "LazyFrame"): lambda frame: _polars_frame(frame.collect()),
    ("polars", "Series"): lambda series: series.to_numpy()[:, None],
    ("torch", "Tensor"): _torch_tensor,
    ("tensorflow", "SparseTensor"): _tensorflow_sparse,
    ("tensorflow", "RaggedTensor"): lambda tensor: tensor.to_tensor().numpy(),
    ("scipy.sparse", "sparray"): SparseRows,
    ("scipy.sparse", "spmatrix"): SparseRows,
    ("jax.experimental.sparse", "JAXSparse"): lambda x: np.asarray(x.todense()),
}


def native(value: Any) -> Any:
    """Return a value of another library as an array, any other value as it is.

    A sparse matrix stays one, of which rows can be taken. A column of a table has a
    second axis, of size 1.

    Raises:
        ValueError: if it is a table with numbers and text.
    """
    for convert in _those_that_take(value):
        return convert(value)
    return value


def _those_that_take(value: Any) -> Iterator[Callable[[Any], Any]]:
    for (module, name), convert in CONVERSIONS.items():
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(value, kind):
            yield convert


def as_loader(source: Any, batch_size: int, shuffle: Any) -> Any:
    """Return torch's loader of batches of a torch ``Dataset``, all else as it is."""
    data = sys.modules.get("torch.utils.data")
    if data is None or not isinstance(source, data.Dataset):
        return source
    mixed = bool(shuffle) and not isinstance(source, data.IterableDataset)
    return data.DataLoader(source, batch_size=batch_size, shuffle=mixed)
