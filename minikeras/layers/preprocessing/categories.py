"""Layers from integers, or numbers in bins, to vectors with a place for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.input_spec import known_shape
from minikeras.layers.preprocessing.data_layer import (
    DataLayer,
    batches_of,
    check_word,
    encoded_shape,
    present_name,
    refuse_sparse,
)

__all__ = ["CategoryEncoding", "Discretization"]


class CategoryEncoding(DataLayer):
    """Integers as vectors with a place for each category.

    Args:
        num_tokens: how many categories there are: integers from 0 on.
        output_mode: ``"one_hot"``: a vector for each integer, with a 1 at its place
            (a last axis of size 1 is dropped); ``"multi_hot"``: one vector for the
            last axis, with a 1 for each integer in it; ``"count"``: one vector for the
            last axis, with the number of times that each integer is in it.
        sparse: must be False: there are no sparse tensors here.

    Shapes:
        inputs: (..., integers)
        returns: (..., num_tokens), with ``"one_hot"`` (..., integers, num_tokens)

    Example:
        >>> CategoryEncoding(num_tokens=4, output_mode="count")([[0, 1], [3, 3]])
        array([[1., 1., 0., 0.],
               [0., 0., 0., 2.]], dtype=float32)
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        output_mode = present_name(output_mode)
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(f"Unknown arg for output_mode: {output_mode}")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is "
                "not known beforehand, use the IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(
                f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}."
            )
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.sparse = refuse_sparse(sparse)

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def call(self, inputs: K.Tensor, count_weights: Any = None) -> K.Tensor:
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    "`count_weights` is not used when `output_mode` is not `'count'`. "
                    f"Received `count_weights={count_weights}`."
                )
            count_weights = K.cast(count_weights, self.compute_dtype)
        return self._encode(inputs, count_weights)

    def _encode(self, inputs: Any, count_weights: Any = None) -> K.Tensor:
        return K.encode_categories(
            inputs,
            self.output_mode,
            self.num_tokens,
            self.compute_dtype,
            count_weights,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["sparse"]
        return config


class Discretization(DataLayer):
    """The number of the bin that a value is in: how many bounds it has reached.

    Args:
        bin_boundaries: the bounds between bins, in rising order.
        num_bins: in place of them: how many bins `adapt` is to make, each of which is
            to hold about as many values as the others.
        epsilon: the error that `adapt` may make, as a share of all values.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``. The
            last two look at the axis after that of the batch.
        sparse: must be False: there are no sparse tensors here.

    Example:
        >>> layer = Discretization(bin_boundaries=[0.0, 1.0, 2.0])
        >>> layer(np.array([-1.5, 1.0, 3.4, 0.5]))
        array([0, 2, 3, 1], dtype=int32)
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        modes = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = check_word(self, output_mode, modes, "output_mode")
        if sparse and output_mode == "int":
            raise ValueError(
                "`sparse=True` may only be used if `output_mode` is `'one_hot'`, "
                f"`'multi_hot'`, or `'count'`. Received: sparse={sparse} and "
                f"output_mode={output_mode}"
            )
        self.sparse = refuse_sparse(sparse)
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                "`num_bins` must be greater than or equal to 0. Received: "
                f"`num_bins={num_bins}`"
            )
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. Received: "
                f"`num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = bin_boundaries
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.reset_state()

    input_dtype = property(lambda self: K.floatx(), doc="The dtype of the values.")

    @property
    def output_dtype(self) -> str:
        """The dtype of the result."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Choose the bounds.

        Args:
            data: an array of values, or what yields batches of them.
            steps: how many batches at most.

        Raises:
            ValueError: if the layer was made with bounds.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with "
                "`bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the values met."""
        self.summary = K.ValueSummary(self.epsilon)

    def update_state(self, data: Any) -> None:
        """Take note of a batch of values."""
        self.summary.add(data)

    def finalize_state(self) -> None:
        """Choose the bounds by the values met."""
        if self.num_bins is not None:
            self.bin_boundaries = self.summary.bounds(self.num_bins)
            self.note_learned()

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def call(self, inputs: K.Tensor) -> K.Tensor:
        if self.bin_boundaries is None:
            return self.not_yet(inputs, self.output_dtype)
        x = K.cast(inputs, self.input_dtype)
        bins = K.searchsorted(K.cast(self.bin_boundaries, x.dtype), x, "right")
        if self.output_mode in ("multi_hot", "count") and len(known_shape(bins)) > 2:
            bins = K.moveaxis(bins, 1, -1)
        return K.encode_categories(
            bins, self.output_mode, self._depth, self.output_dtype
        )

    def _refuse(self, *inputs: Any) -> None:
        raise ValueError(
            "You need to either pass the `bin_boundaries` argument at construction "
            "time or call `adapt(dataset)` before you can start using the "
            "`Discretization` layer."
        )

    @property
    def _depth(self) -> int:
        bounds = self.bin_boundaries
        return self.num_bins if bounds is None else len(bounds) + 1  # type: ignore[return-value]

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        if self.output_mode in ("multi_hot", "count"):
            return (*shape[:1], *shape[2:], self._depth)[len(shape) == 1 :]
        return encoded_shape(shape, self.output_mode, self._depth)

    def get_config(self) -> dict[str, Any]:
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse")
        return {name: getattr(self, name) for name in (*names, "name", "dtype")}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> Discretization:
        """Return a layer made from the result of `get_config`, adapted or not."""
        config = dict(config)
        adapted = config.get("num_bins") is not None
        bounds = config.pop("bin_boundaries", None) if adapted else None
        layer = cls(**config)
        layer.bin_boundaries = bounds if adapted else layer.bin_boundaries
        return layer
