"""What layers that prepare data have in common: they take data as they come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.context import bind

__all__ = [
    "DataLayer",
    "batches_of",
    "check_word",
    "encoded_shape",
    "present_name",
    "refuse_sparse",
    "two_salts",
]


class DataLayer(Layer):
    """A layer whose inputs may be lists, and which computes at once on data.

    Its first argument is `inputs`.

    Attributes:
        learned: how often it has learned something that a trace of it depends on.
    """

    learned = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.autocast = False

    def as_inputs(self, inputs: Any) -> Any:
        """Return the inputs of a call as arrays."""
        return K.convert_to_tensor(inputs)

    def note_learned(self) -> None:
        """Say that what was traced of this layer no longer holds."""
        self.learned += 1
        K.note_change()

    def not_yet(self, inputs: Any, dtype: Any) -> Any:
        """Return what a layer that knows too little yet returns for its inputs.

        It can be connected to others; when it is to be computed, `_refuse` is called.
        """
        return K.py_func(self._refuse, [inputs], dtype, shape=self.compute_output_shape)

    def _refuse(self, *inputs: Any) -> Any:
        """Raise the error that says what is missing."""
        raise NotImplementedError

    def _call_on_arrays(self, args: Any, kwargs: dict[str, Any]) -> Any:
        bound, _ = bind(self, args, kwargs)
        bound.arguments["inputs"] = self.as_inputs(bound.arguments["inputs"])
        return self._call_bound(bound)


def batches_of(
    data: Any, steps: int | None = None, is_batch: tuple[type, ...] = ()
) -> Iterable[Any]:
    """Return what `adapt` is to look at, a batch at a time.

    Args:
        data: one array, or what yields batches.
        steps: how many batches at most.
        is_batch: further types of data that are one batch.
    """
    if K.is_array(data) or isinstance(data, is_batch):
        return [data]
    if not hasattr(data, "__iter__"):
        if not (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
            return [data]
        data = map(data.__getitem__, range(len(data)))
    return islice(data, steps)


def check_word(layer: Any, value: Any, allowed: Sequence[str], name: str) -> Any:
    """Return an argument that is to be one of some words.

    Raises:
        ValueError: if it is not.
    """
    if value not in allowed:
        raise ValueError(
            f"Unknown value for `{name}` argument of {type(layer).__name__}. Allowed "
            f"values are: {tuple(allowed)}. Received: {name}={value}"
        )
    return value


def encoded_shape(shape: Any, mode: str, depth: int | None) -> Any:
    """Return the shape of encoded categories; see `K.encode_categories`."""
    if mode == "int":
        return tuple(shape)
    single = mode != "one_hot" or (len(shape) > 1 and shape[-1] == 1)
    return (*(shape[:-1] if single else shape), depth)


def present_name(mode: str) -> str:
    """Return an output mode by its present name."""
    return {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)


def two_salts(salt: Any, layer: str, size: str) -> list[int] | None:
    """Return the key of a hash: two integers, None if there is none.

    Raises:
        ValueError: if `salt` is neither an integer, nor two of them, nor None.
    """
    if salt is None:
        return None
    if isinstance(salt, (tuple, list)) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{layer}` can only be a tuple of {size} integers, "
        f"or a single integer. Received: salt={salt}."
    )


def refuse_sparse(sparse: bool) -> bool:
    """Return `sparse`.

    Raises:
        ValueError: if it is true: there are no sparse tensors here.
    """
    if sparse:
        raise ValueError(
            "`sparse=True` can only be used with the TensorFlow backend: "
            f"it cannot be used with backend {K.backend()}"
        )
    return False
