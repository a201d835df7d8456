"""`KerasTensor`: a shape and a dtype to start from, by Keras 3's name.

Every tensor of the engine counts as one, as it has what Keras promises of them: a shape
with None for unknown sizes, a dtype, operators. One that is made by hand is a
placeholder in the graph.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from minikeras.backend.introspection import standardize_dtype
from minikeras.backend.naming import auto_name
from minikeras.backend.shapes import standardize_shape
from minikeras.backend.tracing import tracing
from minikeras.engine import tree
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import placeholder

__all__ = [
    "KerasTensor",
    "any_symbolic_tensors",
    "compute_output_spec",
    "is_keras_tensor",
]


class _AnyTensor(type):
    """Lets ``isinstance(x, KerasTensor)`` hold for every tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class KerasTensor(Tensor, metaclass=_AnyTensor):
    """A symbolic tensor that stands for a value of this shape and dtype.

    Args:
        shape: its sizes, None for one that may vary.
        dtype: floating-point by default.
        sparse: noted; there are no sparse tensors here.
        ragged: noted; there are no ragged tensors here.
        record_history: whether models can be made of what is computed from it.
        name: made up by default.
        kwargs: ``ragged_rank`` and ``row_splits_dtype``, noted as well.

    Raises:
        TypeError: if there are other arguments.
        ValueError: if it is said to be both sparse and ragged.

    Example:
        >>> x = KerasTensor((None, 3))
        >>> (x @ KerasTensor((3, 4))).shape
        (None, 4)
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._ragged_rank = kwargs.pop("ragged_rank", None)
        self._row_splits_dtype = kwargs.pop("row_splits_dtype", None)
        if kwargs:
            raise TypeError(f"Unexpected keyword arguments: {', '.join(kwargs)}")
        if sparse and ragged:
            raise ValueError(
                "KerasTensor cannot have `sparse=True` and `ragged=True` at the same "
                "time."
            )
        sizes, kind = standardize_shape(shape), standardize_dtype(dtype)
        self._name = name or auto_name(type(self).__name__)
        node = placeholder(kind, sizes, self._name).node
        super().__init__(node, 0, node.outputs[0].spec)
        node.outputs = (self,)
        self._sparse, self._ragged = bool(sparse), bool(ragged)
        self.record_history = record_history

    @property
    def name(self) -> str:
        """Its name, without the ``:0`` of the engine's."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def __int__(self) -> int:
        raise ValueError(_NO_VALUE.format("an int"))

    def __float__(self) -> float:
        raise ValueError(_NO_VALUE.format("a float"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise ValueError(_NO_VALUE.format("a NumPy array"))

    def __iter__(self) -> Any:
        raise NotImplementedError(
            "Iterating over a symbolic KerasTensor is not supported."
        )

    def __bool__(self) -> bool:
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    def __repr__(self) -> str:
        return (
            f"<KerasTensor shape={self.shape}, dtype={self.dtype}, "
            f"sparse={self._sparse}, ragged={self._ragged}, name={self.name}>"
        )

    __str__ = __repr__


_NO_VALUE = (
    "A KerasTensor is symbolic: it's a placeholder for a shape and a dtype. It doesn't "
    "have any actual numerical value. You cannot convert it to {}."
)


def _immutable(name: str, read: Callable[[Any], Any]) -> property:
    def refuse(self: KerasTensor, value: Any) -> None:
        raise AttributeError(
            f"The `{name}` attribute of KerasTensor is immutable. One should create a "
            "new instance of KerasTensor for this."
        )

    return property(read, refuse)


for _name in ("shape", "dtype"):
    setattr(KerasTensor, _name, _immutable(_name, getattr(Tensor, _name).fget))
for _name in ("sparse", "ragged", "ragged_rank", "row_splits_dtype"):
    setattr(KerasTensor, _name, _immutable(_name, attrgetter(f"_{_name}")))


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor."""
    return isinstance(x, Tensor)


def any_symbolic_tensors(args: Any = (), kwargs: Any = None) -> bool:
    """Whether there is a symbolic tensor among arguments, in any nesting."""
    return any(isinstance(x, Tensor) for x in tree.flatten((args, kwargs or {})))


def compute_output_spec(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return shapes and dtypes of what `fn` computes, as tensors that stand for them.

    It is called once, on stand-ins for the tensors among its arguments; what it assigns
    to variables is forgotten.

    Example:
        >>> compute_output_spec(lambda x: x[:, None] * 2, KerasTensor((None, 3))).shape
        (None, 1, 3)
    """
    with tracing():
        outputs = fn(*_stand_ins(args), **_stand_ins(kwargs))
    return _stand_ins(outputs)


def _stand_ins(structure: Any) -> Any:
    """Return tensors that are like those in `structure`, in its nesting."""

    def like(x: Any) -> Any:
        if not (hasattr(x, "shape") and hasattr(x, "dtype")):
            return x
        known = x.shape is not None
        return KerasTensor(x.shape, x.dtype) if known else placeholder(x.dtype)

    return tree.map_structure(like, structure)
