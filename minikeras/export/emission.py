"""`Emission`: the graph of an ONNX file while it is being written.

A value is either the name that a node of the file gives it, or an array, if it is known
already: arrays become *initializers* of the file when a node needs them. So whatever is
computed from arrays alone can be computed at once, and never gets into the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minikeras.engine.graph import Tensor
from minikeras.engine.spec import Shape, Spec
from minikeras.export.library import element_of, onnx

__all__ = ["Emission", "Parts", "Ref", "UnsupportedError", "whole"]


class Parts(NamedTuple):
    """A tensor of complex numbers, which ONNX does not compute with, as two."""

    real: Any
    imag: Any


Ref: TypeAlias = "str | np.ndarray[Any, Any] | Parts"


class UnsupportedError(NotImplementedError, ValueError):
    """Something in a model or in a file that has no counterpart on the other side."""


class File:
    """What all graphs of one file share: the names, and the arrays.

    Args:
        opset: the version of ONNX's operators.
        rules: how the engine's operations are said in them, by name.
    """

    def __init__(self, opset: int, rules: Mapping[str, Any]) -> None:
        self.opset = opset
        self.rules = rules
        self.initializers: list[Any] = []
        self.size = 0
        self.memory: dict[Any, Any] = {}  # what was fetched for the file, once
        self._counts: Counter[str] = Counter()
        self._stored: dict[Any, str] = {}
        self._kept: list[Any] = []  # so that no two arrays have one id
        self._called: dict[int, str] = {}

    def unique(self, name: str) -> str:
        """Return a name that no other value or node of the file has."""
        base = re.sub(r"[^\w./:-]", "_", name) or "value"
        count = self._counts[base]
        self._counts[base] += 1
        return self.unique(f"{base}_{count}") if count else base

    def call(self, array: Any, name: str) -> None:
        """Let an array be called by this name, should it get into the file."""
        self._called.setdefault(id(array), name)
        self._kept.append(array)

    def store(self, array: Any) -> str:
        """Return the name of an array in the file; equal small ones are stored once."""
        small = array.nbytes <= 256
        shown = (array.dtype, array.shape, array.tobytes()) if small else id(array)
        key = id(array) if id(array) in self._called else shown
        if key not in self._stored:
            name = self.unique(self._called.get(id(array), "constant"))
            dense = np.asarray(array, order="C")
            self.initializers.append(onnx().numpy_helper.from_array(dense, name))
            self.size += array.nbytes
            self._stored[key] = name
            self._kept.append(array)
        return self._stored[key]


class Emission:
    """The nodes of one graph: the file's own, or the body of a loop or branch.

    Called like a function, it adds a node: ``e("Gemm", x, w, transB=1)``.

    Attributes:
        nodes: those of ONNX, in order.
        values: what stands for each of the engine's tensors.
        wanted: the tensors that something needs.
        scope: how nodes made now are called.
    """

    def __init__(self, file: File) -> None:
        self.file = file
        self.nodes: list[Any] = []
        self.values: dict[Tensor, Ref] = {}
        self.wanted: set[Tensor] = set()
        self.scope = ""

    @property
    def opset(self) -> int:
        """The version of ONNX's operators."""
        return self.file.opset

    def __call__(
        self, kind: str, *inputs: Ref | None, outputs: int = 1, **attributes: Any
    ) -> Any:
        """Add a node and return the name of its output, or a list of several."""
        name = self.file.unique(f"{self.scope}/{kind}" if self.scope else kind)
        made = [self.file.unique(f"{name}_output") for _ in range(outputs)]
        given = {k: v for k, v in attributes.items() if v is not None}
        names = ["" if x is None else self.name(x) for x in inputs]
        self.nodes.append(onnx().helper.make_node(kind, names, made, name, **given))
        return made[0] if outputs == 1 else made

    def name(self, x: Ref) -> str:
        """Return the name of a value in the file."""
        if isinstance(x, Parts):
            raise UnsupportedError(
                "complex numbers cannot be exported, but for Fourier transforms of "
                "which the real and imaginary parts are used"
            )
        return x if isinstance(x, str) else self.file.store(x)

    def body(self, name: str, inputs: Sequence[Any], outputs: Iterable[Ref]) -> Any:
        """Return the graph as an attribute of a node.

        Args:
            name: of the graph.
            inputs: descriptions of its inputs.
            outputs: values, which get names of their own.
        """
        helper = onnx().helper
        named = [self.named(y, self.file.unique(f"{name}/result")) for y in outputs]
        made = [helper.make_empty_tensor_value_info(y) for y in named]
        return helper.make_graph(self.nodes, self.file.unique(name), inputs, made)

    def named(self, x: Ref, name: str) -> str:
        """Return a name that this very graph gives a value."""
        node = onnx().helper.make_node("Identity", [self.name(x)], [name], name)
        self.nodes.append(node)
        return name

    def declared(self, name: str, spec: Spec) -> Any:
        """Return the description of a value of a graph; unknown sizes stay so."""
        kind = element_of(spec.dtype)
        return onnx().helper.make_tensor_value_info(name, kind, spec.shape)

    # -- what many rules need; of arrays it is computed at once ------------------------

    def transpose(self, x: Ref, order: Sequence[int]) -> Ref:
        """Return x with its axes in another order."""
        if list(order) == sorted(order):
            return x
        if isinstance(x, np.ndarray):
            return np.transpose(x, order)
        last = self.nodes[-1] if self.nodes else None
        if last is not None and last.op_type == "Transpose" and last.output[0] == x:
            first = last.attribute[0].ints  # two in a row are one
            return self.transpose(last.input[0], [first[i] for i in order])
        return self("Transpose", x, perm=list(order))

    def reshape(self, x: Ref, sizes: Ref | Sequence[int]) -> Ref:
        """Return x in another shape; 0 is a size of 0, and -1 what is left."""
        if isinstance(x, np.ndarray) and not isinstance(sizes, str):
            return x.reshape([int(n) for n in sizes])
        return self("Reshape", x, self.vector(sizes), allowzero=self._zeros(sizes))

    def _zeros(self, sizes: Any) -> int | None:
        known = not isinstance(sizes, str)
        return 1 if known and 0 in list(sizes) and self.opset >= 14 else None

    def vector(self, values: Ref | Sequence[int] | int) -> Ref:
        """Return integers as ONNX wants to have them."""
        if isinstance(values, str):
            return self.cast(values, "int64")
        return np.asarray(values, np.int64)

    def cast(self, x: Ref, dtype: Any) -> Ref:
        """Return x as numbers of another kind."""
        if isinstance(x, np.ndarray):
            return x.astype(dtype)
        return self("Cast", x, to=element_of(dtype))

    def unsqueeze(self, x: Ref, axes: Sequence[int]) -> Ref:
        """Return x with new axes of size 1, which lie there in the result."""
        if isinstance(x, np.ndarray):
            return np.expand_dims(x, tuple(axes))
        return self("Unsqueeze", x, self.vector(axes)) if axes else x

    def squeeze(self, x: Ref, axes: Sequence[int]) -> Ref:
        """Return x without some axes of size 1."""
        if isinstance(x, np.ndarray):
            return np.squeeze(x, tuple(axes))
        return self("Squeeze", x, self.vector(axes)) if axes else x

    def shape(self, x: Ref) -> Ref:
        """Return the shape of x, a vector of int64."""
        if isinstance(x, np.ndarray):
            return self.vector(x.shape)
        return self("Shape", x)

    def concat(self, xs: Sequence[Ref], axis: int) -> Ref:
        """Return values joined along an axis."""
        if all(isinstance(x, np.ndarray) for x in xs):
            return np.concatenate(xs, axis)  # type: ignore[arg-type]
        return xs[0] if len(xs) == 1 else self("Concat", *xs, axis=axis)

    def cut(
        self,
        x: Ref,
        starts: Sequence[int] | Ref,
        ends: Sequence[int] | Ref,
        axes: Sequence[int],
        steps: Sequence[int] | None = None,
    ) -> Ref:
        """Return what lies between starts and ends along axes."""
        bounds = [
            self.vector(v) for v in (starts, ends, axes, steps or [1] * len(axes))
        ]
        return self("Slice", x, *bounds) if axes else x

    def reduce(
        self, kind: str, x: Ref, axes: Sequence[int], keepdims: bool = True
    ) -> Ref:
        """Return a reduction of x, such as ``"ReduceMax"``, over axes."""
        if not axes:  # to ONNX that would be all of them
            return x
        if self.opset >= 18 or kind == "ReduceSum":
            return self(kind, x, self.vector(axes), keepdims=int(keepdims))
        return self(kind, x, axes=list(axes), keepdims=int(keepdims))


def whole(shape: Shape | None, what: str) -> tuple[int, ...]:
    """Return a shape, all of whose sizes must be known.

    Raises:
        UnsupportedError: if one is not.
    """
    if shape is None or None in shape:
        raise UnsupportedError(
            f"{what} can be exported only with known sizes, not {shape}: give an "
            "`input_signature` that has them"
        )
    return tuple(n for n in shape if n is not None)
