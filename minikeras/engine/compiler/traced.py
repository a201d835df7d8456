"""`Traced`: an array that records what a kernel does to it.

A kernel is a Python function of arrays. Given traced arrays it runs as ever, and
NumPy, asked to add or to total one, asks back (by its protocols ``__array_ufunc__`` and
``__array_function__``); the answer is a new traced array and one more instruction.
So the kernels themselves are the one definition of what can be fused. A kernel which
asks for more than is recorded here (the values, a sort) raises `OpaqueError`, and is
called as a whole.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from minikeras.engine.compiler.program import Call, Instruction, Map, Part, Slot, Total
from minikeras.engine.graph import Node
from minikeras.engine.ops.linalg import MatMul
from minikeras.engine.shapes import axes_of

__all__ = ["OpaqueError", "Recorder", "Traced"]


class OpaqueError(TypeError):
    """A kernel does something that is not recorded."""


class Recorder:
    """Instructions in the making, on behalf of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.instructions: list[Instruction] = []

    def slot(self, x: Any, dtype: Any = None) -> Slot:
        """Return the slot of a traced or real array, or number, brought to `dtype`."""
        if isinstance(x, Traced):
            return x.slot if dtype in (None, x.dtype) else self.cast(x, dtype).slot
        array = np.asarray(x, dtype)
        if array.dtype.kind == "O":
            raise OpaqueError("made of objects")
        return Slot.constant(array)

    def map(self, name: str, inputs: Sequence[Slot], dtype: Any) -> Traced:
        """Record an elementwise function."""
        if any(x.dtype.kind == "O" for x in inputs):
            raise OpaqueError("made of objects")
        shape = np.broadcast_shapes(*(x.shape for x in inputs))
        output = Slot.new(shape, dtype)
        self.instructions.append(Map(name, inputs, output, self.node))
        return Traced(self, output)

    def cast(self, x: Any, dtype: Any) -> Traced:
        """Record a change of dtype."""
        return self.map("cast", [self.slot(x)], dtype)

    def ufunc(self, ufunc: np.ufunc, *inputs: Any, dtype: Any = None) -> Traced:
        """Record a ufunc, with casts so that its inputs have a loop's dtypes."""
        if ufunc.nout != 1 or ufunc.signature is not None:
            raise OpaqueError(f"{ufunc.__name__} is not elementwise")
        kinds = (*map(_kind, inputs), None if dtype is None else np.dtype(dtype))
        *taken, result = ufunc.resolve_dtypes(kinds)
        slots = [self.slot(x, dt) for x, dt in zip(inputs, taken, strict=True)]
        return self.map(ufunc.__name__, slots, result)

    def product(self, a: Any, b: Any) -> Traced:
        """Record a product of matrices, or of stacks of them."""
        if isinstance(self.node.op, MatMul) or a.dtype != b.dtype:
            raise OpaqueError("a product to be called as a whole")
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        output = Slot.new((*batch, a.shape[-2], b.shape[-1]), a.dtype)
        inputs = self.slot(a), self.slot(b)
        self.instructions.append(Call(self.node, inputs, [output], op=MatMul()))
        return Traced(self, output)

    def total(
        self,
        ufunc: np.ufunc,
        x: Any,
        axis: Any = None,
        dtype: Any = None,
        keepdims: bool = False,
    ) -> Traced:
        """Record a reduction."""
        if x.size == 0:
            raise OpaqueError("a total of nothing")
        kind = dtype or ufunc.reduce(np.empty((1,), x.dtype)).dtype
        axes = axes_of(
            axis if axis is None or isinstance(axis, int) else tuple(axis), x.ndim
        )
        whole = self.slot(x, np.dtype(kind))
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        y = Traced(self, Slot.new(shape, kind))
        several = tuple(i for i in axes if x.shape[i] != 1)
        if several:
            self.instructions.append(
                Total(ufunc.__name__, whole, several, y.slot, self.node)
            )
        else:
            y = Traced(self, whole)
        return (
            y
            if keepdims
            else y.reshape([n for i, n in enumerate(x.shape) if i not in axes])
        )


def _kind(x: Any) -> Any:
    """Return what decides the dtype of a result: a plain number's type is weak."""
    if type(x) in (int, float, complex):
        return type(x)
    return x.dtype if isinstance(x, Traced) else np.asarray(x).dtype


def _in_place(function: Callable[[Any, Any], Any]) -> Any:
    """Return the method that changes a whole array in place: that is a new value."""

    def changed(x: Traced, y: Any) -> Any:
        if x.slot.is_view or isinstance(x, Built):
            raise OpaqueError("a part of an array is changed in place")
        return function(x, y)

    return changed


class Traced(NDArrayOperatorsMixin):
    """Stands for an array in a kernel."""

    __slots__ = ("recorder", "slot")

    def __hash__(self) -> int:
        return id(self)

    def __init__(self, recorder: Recorder, slot: Slot) -> None:
        self.recorder = recorder
        self.slot = slot

    shape = property(lambda self: self.slot.shape, doc="Sizes of the axes.")
    dtype = property(lambda self: self.slot.dtype, doc="Of the elements.")
    size = property(lambda self: self.slot.size, doc="Number of elements.")
    ndim = property(lambda self: len(self.slot.shape), doc="Number of axes.")
    T = property(lambda self: self._view(lambda a: a.T), doc="With its axes reversed.")

    # -- what NumPy asks ---------------------------------------------------------------

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any
    ) -> Any:
        if method == "__call__" and options.keys() <= {"dtype"}:
            if ufunc is np.matmul:
                return self.recorder.product(*inputs, **options)
            return self.recorder.ufunc(ufunc, *inputs, **options)
        if method == "reduce" and options.keys() <= {"axis", "dtype", "keepdims"}:
            options.setdefault("axis", 0)
            return self.recorder.total(ufunc, *inputs, **options)
        raise OpaqueError(f"{ufunc.__name__}.{method} with {sorted(options)}")

    def __array_function__(
        self, function: Any, types: Any, args: Any, kwargs: Any
    ) -> Any:
        rule = _FUNCTIONS.get(function)
        if rule is None:
            raise OpaqueError(f"{function.__name__} is not recorded")
        try:
            return rule(*args, **kwargs)
        except TypeError as error:  # an argument that the rule does not know
            raise OpaqueError(str(error)) from None

    def tolist(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse to show elements.

        Raises:
            OpaqueError: always.
        """
        raise OpaqueError("its elements are not known yet")

    __array__ = __bool__ = __int__ = __float__ = __index__ = __iter__ = item = tolist

    # -- what kernels ask --------------------------------------------------------------

    def __len__(self) -> int:
        return self.shape[0]

    def __pow__(self, exponent: Any) -> Any:
        # As ndarray's own: small powers are no calls of pow.
        easy = {2: np.square, 0.5: np.sqrt, 1: np.positive, -1: np.reciprocal}
        plain = type(exponent) in (int, float) and self.dtype.kind == "f"
        if plain and exponent in easy:
            return self.recorder.ufunc(easy[exponent], self)
        return self.recorder.ufunc(np.power, self, exponent)

    __iadd__ = _in_place(operator.add)
    __isub__ = _in_place(operator.sub)
    __imul__ = _in_place(operator.mul)
    __itruediv__ = _in_place(operator.truediv)

    def __getitem__(self, index: Any) -> Any:
        items = index if isinstance(index, tuple) else (index,)
        if all(
            i is None or i is Ellipsis or isinstance(i, (int, np.integer, slice))
            for i in items
        ):
            return self._view(
                lambda a: a[(*items, Ellipsis)] if Ellipsis not in items else a[items]
            )
        raise OpaqueError("an index that is an array")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise OpaqueError("a kernel writes on an array that it has not made")

    def _view(self, function: Callable[[Any], Any]) -> Traced:
        return Traced(self.recorder, self.slot.view(function))

    def astype(self, dtype: Any, copy: bool = True) -> Traced:
        """Record a change of dtype."""
        return (
            self.recorder.cast(self, np.dtype(dtype)) if self.dtype != dtype else self
        )

    def copy(self) -> Traced:
        """Return itself: a traced array is never written on."""
        return self

    def reshape(self, *shape: Any) -> Traced:
        """Return a view, of a copy where there is none of its memory."""
        sizes = (
            shape[0]
            if len(shape) == 1 and not isinstance(shape[0], (int, np.integer))
            else shape
        )
        sizes = tuple(map(operator.index, sizes))
        if -1 in sizes:
            known = -int(np.prod(sizes, dtype=int))
            sizes = tuple(self.size // known if n == -1 else n for n in sizes)
        try:
            return self._view(lambda a: np.reshape(a, sizes, copy=False))
        except ValueError:
            if int(np.prod(sizes, dtype=int)) != self.size:
                raise
        whole = self.recorder.map("cast", [self.slot], self.dtype)
        return whole._view(lambda a: np.reshape(a, sizes, copy=False))

    def transpose(self, *axes: Any) -> Traced:
        """Return the view with its axes in another order."""
        return self._view(lambda a: a.transpose(*axes))

    def swapaxes(self, a: int, b: int) -> Traced:
        """Return the view with two axes exchanged."""
        return self._view(lambda x: x.swapaxes(a, b))

    def ravel(self) -> Traced:
        """Return the elements in one row."""
        return self.reshape(-1)

    def squeeze(self, axis: Any = None) -> Traced:
        """Return the view without axes of size 1."""
        return self._view(lambda a: np.squeeze(a, axis))

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """Record a sum."""
        return np.sum(self, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """Record a mean."""
        return np.mean(self, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """Record a maximum."""
        return np.max(self, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """Record a minimum."""
        return np.min(self, *args, **kwargs)


class Built(Traced):
    """What a kernel makes part by part: ``y = xp.empty_like(x); y[...] = ...``."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Any) -> None:
        part = self[index].slot
        given = self.recorder.slot(value, self.dtype)
        laid = given.view(lambda a: np.broadcast_to(a, part.shape))
        self.recorder.instructions.append(Part(laid, part, self.recorder.node))


def _empty_like(
    prototype: Any, dtype: Any = None, order: str = "C", shape: Any = None
) -> Built:
    sizes = prototype.shape if shape is None else shape
    slot = Slot.new(sizes, prototype.dtype if dtype is None else dtype)
    return Built(prototype.recorder, slot)


def _concatenate(arrays: Any, axis: int = 0) -> Built:
    arrays = list(arrays)
    first = next(a for a in arrays if isinstance(a, Traced))
    if len({a.dtype for a in arrays}) > 1:
        raise OpaqueError("a concatenation of several dtypes")
    axis %= first.ndim
    sizes = list(first.shape)
    sizes[axis] = sum(a.shape[axis] for a in arrays)
    whole, start = _empty_like(first, shape=sizes), 0
    for a in arrays:
        stop = start + a.shape[axis]
        whole[(slice(None),) * axis + (slice(start, stop),)] = a
        start = stop
    return whole


def _stack(arrays: Any, axis: int = 0) -> Built:
    arrays = list(arrays)
    axis %= arrays[0].ndim + 1
    return _concatenate([np.expand_dims(a, axis) for a in arrays], axis)


# -- NumPy's functions that are not ufuncs ---------------------------------------------


def _total(ufunc: np.ufunc) -> Callable[..., Traced]:
    def rule(
        a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False
    ) -> Any:
        return a.recorder.total(ufunc, a, axis, dtype, keepdims)

    return rule


def _mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if a.dtype.kind != "f" or a.dtype.itemsize < 4:
        raise OpaqueError("a mean in another dtype than its input's")
    total = a.recorder.total(np.add, a, axis, None, keepdims)
    return total / a.dtype.type(a.size // max(total.size, 1))


def _var(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    apart = a - _mean(a, axis, keepdims=True)
    return _mean(apart * apart, axis, keepdims=keepdims)


def _where(condition: Any, x: Any, y: Any) -> Any:
    recorder = next(a.recorder for a in (condition, x, y) if isinstance(a, Traced))
    dtype = np.maximum.resolve_dtypes((_kind(x), _kind(y), None))[-1]
    slots = [
        recorder.slot(condition, np.dtype(bool)),
        recorder.slot(x, dtype),
        recorder.slot(y, dtype),
    ]
    return recorder.map("where", slots, dtype)


def _clip(a: Any, a_min: Any, a_max: Any) -> Any:
    return np.minimum(np.maximum(a, a_min), a_max)


def _laid(function: Callable[..., Any]) -> Callable[..., Traced]:
    """Return the rule of a function whose result is a view."""

    def rule(a: Any, *args: Any, **kwargs: Any) -> Any:
        return a._view(lambda array: function(array, *args, **kwargs))

    return rule


def _filled(value: Any) -> Callable[..., Any]:
    """Return the rule of ``zeros_like`` and its kin: an array that is no secret."""

    def rule(a: Any, dtype: Any = None, shape: Any = None) -> Any:
        number = np.asarray(value, dtype or a.dtype)
        return np.broadcast_to(number, a.shape if shape is None else shape)

    return rule


_FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _total(np.add),
    np.prod: _total(np.multiply),
    np.max: _total(np.maximum),
    np.min: _total(np.minimum),
    np.amax: _total(np.maximum),
    np.amin: _total(np.minimum),
    np.any: _total(np.logical_or),
    np.all: _total(np.logical_and),
    np.mean: _mean,
    np.var: _var,
    np.where: _where,
    np.empty_like: _empty_like,
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.ascontiguousarray: lambda a: a,
    np.clip: _clip,
    np.reshape: lambda a, shape: a.reshape(shape),
    np.ravel: lambda a: a.reshape(-1),
    np.copy: lambda a: a,
    np.zeros_like: _filled(0),
    np.ones_like: _filled(1),
    np.full_like: lambda a, fill_value, dtype=None: _filled(fill_value)(a, dtype),
    **{
        function: _laid(function)
        for function in (
            np.transpose,
            np.swapaxes,
            np.moveaxis,
            np.expand_dims,
            np.squeeze,
            np.broadcast_to,
            np.flip,
        )
    },
}
