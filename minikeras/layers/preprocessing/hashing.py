"""Layers that need no vocabulary: values are shared out over bins by their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.input_spec import known_shape
from minikeras.layers.preprocessing.data_layer import (
    DataLayer,
    check_word,
    refuse_sparse,
    two_salts,
)

__all__ = ["HashedCrossing", "Hashing"]


class Hashing(DataLayer):
    """Each value's bin: its hash, modulo the number of bins.

    The values are those of TensorFlow: FarmHash, or SipHash if there is a salt.
    Numbers are hashed as decimal digits.

    Args:
        num_bins: how many bins there are, that of `mask_value` included.
        mask_value: the value of bin 0, which it has for itself alone.
        salt: two integers, or one for both: a key for SipHash.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``; see
            `CategoryEncoding`.
        sparse: must be False: there are no sparse tensors here.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"]]).tolist()
        [[1], [0], [1]]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else K.floatx()
        super().__init__(**kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                "The `num_bins` for `Hashing` cannot be `None` or non-positive values. "
                f"Received: num_bins={num_bins}."
            )
        if output_mode == "int" and self.compute_dtype not in ("int32", "int64"):
            raise ValueError(
                'When `output_mode="int"`, `dtype` should be an integer type, '
                f"'int32' or 'in64'. Received: dtype={kwargs['dtype']}"
            )
        modes = ("int", "one_hot", "multi_hot", "count")
        if output_mode not in modes:
            raise ValueError(
                "Invalid value for argument `output_mode`. Expected one of "
                f"{modes}. Received: output_mode={output_mode}"
            )
        if sparse and output_mode == "int":
            raise ValueError(
                '`sparse` may only be true if `output_mode` is `"one_hot"`, '
                f'`"multi_hot"`, or `"count"`. Received: sparse={sparse} and '
                f"output_mode={output_mode}"
            )
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = two_salts(salt, "Hashing", "size 2")
        self.output_mode = output_mode
        self.sparse = refuse_sparse(sparse)

    def call(self, inputs: Any) -> K.Tensor:
        bins = K.py_func(self._bins, [inputs], "int64", shape=lambda shape: shape)
        return K.encode_categories(
            bins, self.output_mode, self.num_bins, self.compute_dtype
        )

    def _bins(self, values: Any) -> Any:
        return K.hash_bins(values, self.num_bins, self.salt, self.mask_value)


class HashedCrossing(DataLayer):
    """For each combination of the values of several features, one of so many bins.

    Args:
        num_bins: how many bins there are.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: must be False: there are no sparse tensors here.

    Shapes:
        inputs: a list of (), (batch) or (batch, 1), integers or strings
        returns: the same with ``"int"``; (batch, num_bins) with ``"one_hot"``

    Example:
        >>> HashedCrossing(num_bins=5)((["A", "B", "A"], [101, 101, 102])).tolist()
        [1, 4, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        kind = "int64" if output_mode == "int" and dtype is None else dtype
        super().__init__(name=name, dtype=kind)
        self.sparse = refuse_sparse(sparse)
        self.num_bins = num_bins
        self.output_mode = check_word(
            self, output_mode, ("int", "one_hot"), "output_mode"
        )

    def as_inputs(self, inputs: Any) -> Any:
        several = isinstance(inputs, (list, tuple))
        return [K.convert_to_tensor(x) for x in inputs] if several else inputs

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def call(self, inputs: Sequence[Any]) -> K.Tensor:
        self._check(inputs)
        bins = K.py_func(self._bins, inputs, "int64", shape=lambda shape, *_: shape)
        return K.encode_categories(
            bins, self.output_mode, self.num_bins, self.compute_dtype
        )

    def _bins(self, *columns: Any) -> Any:
        return K.crossed_bins(columns, self.num_bins)

    def _check(self, inputs: Any) -> None:
        """Look at what is to be crossed.

        Raises:
            ValueError: if these are not several columns of integers or strings.
        """
        received = f"Received: inputs={inputs}"
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(
                "`HashedCrossing` should be called on a list or tuple of inputs. "
                f"{received}"
            )
        if len(inputs) < 2:
            raise ValueError(
                f"`HashedCrossing` should be called on at least two inputs. {received}"
            )
        first, *others = map(known_shape, inputs)
        if len(first) > 2 or (len(first) == 2 and first[-1] not in (1, None)):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` "
                f"or `(batch_size, 1)`. {received}"
            )
        if any(shape != first for shape in others):
            raise ValueError(
                f"All `HashedCrossing` inputs should have equal shape. {received}"
            )
        kinds = [K.standardize_dtype(x.dtype) for x in inputs]
        if not all(kind == "string" or K.is_int_dtype(kind) for kind in kinds):
            raise ValueError(
                "All `HashedCrossing` inputs should have an integer or string dtype. "
                f"{received}"
            )

    def get_config(self) -> dict[str, Any]:
        names = ("num_bins", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}
