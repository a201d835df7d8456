"""Cells: one step of a recurrent layer, from an input and states to new states."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, ClassVar

from minikeras import activations
from minikeras import backend as K
from minikeras.layers.arguments import RECEIVED, positive
from minikeras.layers.base import Layer
from minikeras.layers.signatures import rules, takes

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"]

States = Sequence[Any]
Shape = Sequence[int | None]


class _Cell(Layer):
    """Base of cells, with a block of the kernels for each of their `gates`.

    Args:
        units: size of the output, and of each state; above 0.
        activation: of the output; tanh by default.
        use_bias: whether to add a bias.
        kernel_initializer: how the kernel for the inputs starts.
        recurrent_initializer: how the kernel for the state starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: a penalty on the kernel for the inputs.
        recurrent_regularizer: a penalty on the kernel for the state.
        bias_regularizer: a penalty on the bias.
        kernel_constraint: a projection of the kernel for the inputs after each update.
        recurrent_constraint: a projection of the kernel for the state.
        bias_constraint: a projection of the bias.
        dropout: share of the inputs' elements dropped in training, the same ones at
            each step.
        recurrent_dropout: the same for the state's.
        seed: of dropout, from 0 to 2**32 - 1.

    Source: the dropout is that of Gal, Ghahramani 2016, arXiv:1512.05287.
    """

    gates: ClassVar[int] = 1
    sample_shapes: tuple[Shape, Shape]  # of an input, of a state

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        *,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("implementation", None)  # Keras's: how to compute the same
        super().__init__(**kwargs)
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        self.units = positive(units, "units", RECEIVED)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.weight_rule("recurrent", *recurrent)
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = K.SeedGenerator(seed)
        self._kept: tuple[Any, Any] | None = None

    @property
    def state_size(self) -> Any:
        """The size of the state, a list of sizes if there are several."""
        return self.units

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    def build(self, input_shape: Sequence[Any]) -> None:
        width = self.gates * self.units
        self.sample_shapes = (input_shape[-1],), (self.units,)
        self.kernel = self.add_ruled_weight("kernel", (input_shape[-1], width))
        self.recurrent_kernel = self.add_ruled_weight(
            "recurrent_kernel", (self.units, width), rule="recurrent"
        )
        self.bias: Any = self.build_bias(width) if self.use_bias else None

    def build_bias(self, width: int) -> K.Variable:
        """Make the bias."""
        return self.add_ruled_weight("bias", (width,))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states before the first step: zeros."""
        return [
            K.zeros((batch_size, size), self.compute_dtype)
            for size in K.tree.flatten(self.state_size)
        ]

    # -- one step ----------------------------------------------------------------------

    def call(self, inputs: Any, states: States, training: Any = None) -> Any:
        return self.step(self.project(inputs, training), states, training)

    def project(self, x: Any, training: Any = None) -> Any:
        """Return ``x W + b`` of the inputs of a step, or of those of all steps.

        Shapes:
            x: (..., features)
            returns: (..., gates * units)
        """
        y = K.dot(self.without_dropped(x, 0, training), self.kernel)
        return K.bias_add(y, self.input_bias) if self.use_bias else y

    @property
    def input_bias(self) -> Any:
        """The bias of the inputs."""
        return self.bias

    def recur(self, h: Any) -> Any:
        """Return ``h U`` of a state."""
        return K.dot(h, self.recurrent_kernel)

    def step(self, x: Any, states: States, training: Any = None) -> Any:
        """Return output and new states, given ``x W + b`` of the inputs."""
        raise NotImplementedError

    # -- dropout -----------------------------------------------------------------------

    @contextmanager
    def same_noise(self, batch_size: Any, training: Any) -> Iterator[None]:
        """Let dropout drop the same elements at each step inside."""
        if training:
            self._kept = tuple(
                self._noise(K.ones((batch_size, *shape), self.compute_dtype), rate)
                for shape, rate in zip(self.sample_shapes, self._rates(), strict=True)
            )
        try:
            yield
        finally:
            self._kept = None

    def _rates(self) -> tuple[float, float]:
        return self.dropout, self.recurrent_dropout

    def _noise(self, x: Any, rate: float) -> Any:
        return K.dropout(x, rate, seed=self.seed_generator) if 0 < rate < 1 else x

    def without_dropped(self, x: Any, which: int, training: Any) -> Any:
        """Return what dropout leaves of the inputs (0) or of the state (1)."""
        rate = self._rates()[which]
        if not training or not 0 < rate < 1:
            return x
        return self._noise(x, rate) if self._kept is None else x * self._kept[which]


def is_projecting(cell: Any) -> bool:
    """Whether a call of `cell` is its `step` after its `project`, and nothing else."""
    return getattr(type(cell), "call", None) is _Cell.call


@takes(
    "units activation use_bias",
    rules("kernel", "recurrent", "bias", activity=False),
    "dropout recurrent_dropout seed",
)
class SimpleRNNCell(_Cell):
    """A step ``h' = activation(x W + h U + b)``.

    The arguments are those of `SimpleRNN` that say nothing about sequences.

    Shapes:
        inputs: (batch, features)
        states: [(batch, units)]
        returns: the output (batch, units), and the new states
    """

    def step(self, x: Any, states: States, training: Any = None) -> Any:
        h = self.without_dropped(states[0], 1, training)
        y = x + self.recur(h)
        y = y if self.activation is None else self.activation(y)
        return y, [y]


@takes(
    "units activation recurrent_activation use_bias",
    rules("kernel", "recurrent", "bias", activity=False, between="unit_forget_bias"),
    "dropout recurrent_dropout seed",
)
class LSTMCell(_Cell):
    """A step of long short-term memory, with gates to put in, forget, and put out.

        i, f, o = sigmoid(x W + h U + b), each with its block of W, U and b
        c' = f c + i tanh(x W + h U + b)
        h' = o tanh(c')

    Args:
        units: size of the output, and of both states.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether to add a bias.
        unit_forget_bias: whether the bias of f starts with 1, so that at first little
            is forgotten.
        kwargs: see `SimpleRNN`.

    Shapes:
        inputs: (batch, features)
        states: [(batch, units), (batch, units)], h and c
        returns: the output (batch, units), and the new states

    Source: Hochreiter, Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; the forget
    gate: Gers, Schmidhuber, Cummins 2000, doi:10.1162/089976600300015015.
    """

    gates = 4
    unit_axis = -1  # of the states

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> list[int]:
        """The sizes of h and c."""
        return [self.units, self.units]

    def build_bias(self, width: int) -> K.Variable:
        bias = super().build_bias(width)
        if self.unit_forget_bias:
            forget = slice(self.units, 2 * self.units)
            value = bias.numpy()
            value[forget] = 1.0
            bias.assign(value)
        return bias

    def step(self, x: Any, states: States, training: Any = None) -> Any:
        h = self.without_dropped(states[0], 1, training)
        i, f, new, o = K.split(x + self.recur(h), 4, axis=self.unit_axis)
        gate = self.recurrent_activation
        c = gate(f) * states[1] + gate(i) * self.activation(new)
        h = gate(o) * self.activation(c)
        return h, [h, c]


@takes(
    "units activation recurrent_activation use_bias",
    rules("kernel", "recurrent", "bias", activity=False),
    "dropout recurrent_dropout reset_after seed",
)
class GRUCell(_Cell):
    """A step of a gated recurrent unit, with gates to update and to reset.

        z, r = sigmoid(x W + h U + b), each with its block of W, U and b
        h' = z h + (1 - z) tanh(x W + r (h U + b))

    Args:
        units: size of the output, and of the state.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether to add a bias.
        reset_after: as written above, with a bias for x W and one for h U; otherwise
            ``(r h) U`` stands for ``r (h U + b)``, as in the paper's first version.
        kwargs: see `SimpleRNN`.

    Source: Cho et al. 2014, arXiv:1406.1078.
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        *,
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def build_bias(self, width: int) -> K.Variable:
        shape = (2, width) if self.reset_after else (width,)
        return self.add_ruled_weight("bias", shape)

    @property
    def input_bias(self) -> Any:
        return self.bias[0] if self.reset_after else self.bias

    def step(self, x: Any, states: States, training: Any = None) -> Any:
        h = self.without_dropped(states[0], 1, training)
        gate, u = self.recurrent_activation, self.recurrent_kernel
        xz, xr, xn = K.split(x, 3, axis=-1)
        if self.reset_after:
            y = K.dot(h, u)
            y = K.bias_add(y, self.bias[1]) if self.use_bias else y
            hz, hr, hn = K.split(y, 3, axis=-1)
            z, new = gate(xz + hz), xn + gate(xr + hr) * hn
        else:
            gates, last = K.split(u, [2 * self.units, self.units], axis=-1)
            hz, hr = K.split(K.dot(h, gates), 2, axis=-1)
            z, new = gate(xz + hz), xn + K.dot(gate(xr + hr) * h, last)
        y = z * states[0] + (1.0 - z) * self.activation(new)
        return y, [y]


# -- cells of any kind -----------------------------------------------------------------
# A cell of a user's own has a `state_size`, and is a layer; all else it may leave out.


def output_size(cell: Any) -> Any:
    """Return the size of a cell's output: by default that of its first state."""
    first = K.tree.flatten(cell.state_size)[0]
    return getattr(cell, "output_size", first)


def initial_state(cell: Any, batch_size: Any, dtype: Any) -> list[Any]:
    """Return the states of a cell before the first step: its own, or else zeros."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if K.tree.is_nested(states) else [states]
    sizes = K.tree.flatten(cell.state_size)
    return [K.zeros((batch_size, n), dtype) for n in sizes]


def same_noise(cell: Any, batch_size: Any, training: Any) -> Any:
    """Let a cell's dropout, if it has any, drop the same at each step inside."""
    if not hasattr(cell, "same_noise"):
        return nullcontext()
    return cell.same_noise(batch_size, training)


class StackedRNNCells(Layer):
    """Several cells as one: the output of each is the input of the next.

    Args:
        cells: the cells, the first of which takes the input.
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The size of each cell's state, or sizes of its states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Shape) -> None:
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Any, states: States, training: Any = None) -> Any:
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            given = state if K.tree.is_nested(state) else [state]
            inputs, after = cell(inputs, given, training=training)
            new.append(_in_form(cell, after))
        return inputs, new

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states of all cells before the first step."""
        kind = self.compute_dtype
        return [_in_form(c, initial_state(c, batch_size, kind)) for c in self.cells]

    @contextmanager
    def same_noise(self, batch_size: Any, training: Any) -> Iterator[None]:
        """Let dropout drop the same elements at each step inside."""
        with ExitStack() as stack:
            for cell in self.cells:
                stack.enter_context(same_noise(cell, batch_size, training))
            yield

    def get_config(self) -> dict[str, Any]:
        cells = [K.serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> StackedRNNCells:
        with K.custom_object_scope(custom_objects):
            cells = [K.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _in_form(cell: Any, states: Any) -> Any:
    """Return a cell's states: by itself, if there is one and its size is a number."""
    alone = isinstance(cell.state_size, int) and K.tree.is_nested(states)
    return states[0] if alone else states
