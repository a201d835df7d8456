"""What a layer does with its one large weight: all that an adapter has to know.

Such a layer is a projection of its inputs by the weight, and an ending after that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["Back", "Einsum", "Filters", "Form", "Linear", "Rows", "Table"]


class Form:
    """Base of forms: a projection by a weight, then an ending.

    Attributes:
        name: of the weight.
        word: what the weight is called in messages.
        axis: of the weight, as a matrix, along which numbers share a scale.
        paired: its axis along which two numbers of 4 bits are put in a byte.
        modes: in which the weight can be kept; none if the layer is not quantized.
        rounds_inputs: whether inputs are quantized along with the weight.
        takes_over: whether an adapter takes the place of `call`; else `call` reads the
            weight that adapters made.
    """

    name = "kernel"
    word = "kernel"
    axis = 0
    paired = -1
    modes: tuple[str, ...] = ("int8", "int4", "float8", "gptq", "awq")
    rounds_inputs = True
    takes_over = True

    def project(self, layer: Any, x: Any, weight: Any) -> Any:
        """Return the projection of `x` by a weight."""
        raise NotImplementedError

    def project_packed(self, layer: Any, x: Any, packing: Any, parts: Any) -> Any:
        """Return the projection of `x` by a weight that is kept in parts."""
        return self.project(layer, x, packing.decode(*parts))

    def finish(self, layer: Any, y: Any, bias: Any) -> Any:
        """Return the layer's output, given the projection."""
        y = y if bias is None else y + bias
        return y if layer.activation is None else layer.activation(y)

    def reduced(self, layer: Any) -> tuple[int, ...]:
        """Return the axes of the weight along which numbers share a scale."""
        return (self.axis,)

    def input_axes(self, layer: Any) -> tuple[int, ...]:
        """Return the axes of the inputs along which numbers share a scale."""
        return (-1,)

    def matrix(self, layer: Any, shape: Sequence[int]) -> tuple[int, int]:
        """Return the sizes of the weight as a matrix: rows are what is summed over."""
        rows = math.prod(shape[i] for i in self.reduced(layer))
        return rows, math.prod(shape) // rows

    def stored(self, layer: Any, scale: Any) -> Any:
        """Return the weight's scale, of size 1 along `reduced`, in the shape kept."""
        return K.squeeze(scale, self.axis)

    def spread(self, layer: Any, scale: Any) -> Any:
        """Return a scale that was kept, in a shape that fits the weight."""
        return K.expand_dims(scale, self.axis)


class Linear(Form):
    """``x @ kernel``, as in `Dense`."""

    def project(self, layer: Any, x: Any, weight: Any) -> Any:
        return K.dot(x, weight)


class Rows(Form):
    """Rows of a table, as in `Embedding`: only those asked for are ever unpacked."""

    name = "embeddings"
    word = "embedding"
    axis = -1
    modes = ("int8", "int4")
    rounds_inputs = False

    def project(self, layer: Any, x: Any, weight: Any) -> Any:
        return K.gather(weight, K.cast(x, "int32"))

    def project_packed(self, layer: Any, x: Any, packing: Any, parts: Any) -> Any:
        rows = [self.project(layer, x, part) for part in parts[: packing.by_row]]
        return packing.decode(*rows, *parts[packing.by_row :])

    def finish(self, layer: Any, y: Any, bias: Any) -> Any:
        return K.cast(y, layer.compute_dtype)


class Table(Rows):
    """A table that is read in more ways than one, as in `ReversibleEmbedding`."""

    rounds_inputs = True
    takes_over = False


class Back(Form):
    """The other table of a `ReversibleEmbedding`, if it has two."""

    name = "reverse_embeddings"
    paired = 0


class Filters(Form):
    """Filters of a convolution: low-rank matrices can be added to them."""

    modes = ()
    takes_over = False


class Einsum(Form):
    """``einsum(equation, x, kernel)``, as in `EinsumDense`."""

    def matrix(self, layer: Any, shape: Sequence[int]) -> tuple[int, int]:
        """Return the sizes of the weight as a matrix, as they are in Keras's files.

        Of three axes, those of inputs are told by the largest one: it is the first in a
        projection to heads, and one of the others in a projection from them.
        """
        if len(shape) != 3:
            return super().matrix(layer, shape)
        rows = shape[0] if shape[0] == max(shape) else shape[0] * shape[1]
        return rows, math.prod(shape) // rows

    def project(self, layer: Any, x: Any, weight: Any) -> Any:
        return K.einsum(layer.equation, x, weight)

    def reduced(self, layer: Any) -> tuple[int, ...]:
        _, kernel, output = _letters(layer)
        return tuple(i for i, k in enumerate(kernel) if k not in output)

    def input_axes(self, layer: Any) -> tuple[int, ...]:
        inputs, kernel, output = _letters(layer)
        summed = set(kernel).difference(output)
        return tuple(i for i, k in enumerate(inputs) if k in summed)

    def stored(self, layer: Any, scale: Any) -> Any:
        """Return the scale with the output's axes, of size 1 if not the kernel's."""
        _, kernel, output = _letters(layer)
        order = [*self.reduced(layer), *(kernel.find(k) for k in output if k in kernel)]
        sizes = [scale.shape[kernel.find(k)] if k in kernel else 1 for k in output]
        return K.reshape(K.transpose(scale, order), sizes)

    def spread(self, layer: Any, scale: Any) -> Any:
        _, kernel, output = _letters(layer)
        kept = [k for k in output if k in kernel]
        sizes = [scale.shape[output.find(k)] for k in kept]
        order = [kept.index(k) for k in kernel if k in kept]
        found = K.transpose(K.reshape(scale, sizes), order)
        return K.expand_dims(found, self.reduced(layer))


def _letters(layer: Any) -> tuple[str, str, str]:
    """Return the letters of inputs, kernel and output, one for each axis."""
    inputs, rest = layer.equation.split(",")
    dotted = layer.input_spec.ndim - len(inputs.replace("...", ""))
    filled = [s.replace("...", "0123456789"[:dotted]) for s in (inputs, rest)]
    kernel, output = filled[1].split("->")
    return filled[0], kernel, output
