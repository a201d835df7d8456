"""Recurrent layers: a cell, repeated along the steps of sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.layers.base import Layer
from minikeras.layers.cells import (
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    initial_state,
    is_projecting,
    same_noise,
)
from minikeras.layers.input_spec import InputSpec, known_shape
from minikeras.layers.signatures import rules, takes

__all__ = ["GRU", "LSTM", "RNN", "SimpleRNN"]


class RNN(Layer):
    """A cell, repeated along the steps of sequences.

    A cell is a layer with the method ``call(input, states)``, which returns the output
    and the new states, and the attributes `state_size` and `output_size`.

    Args:
        cell: the cell, or a list of cells, one on top of the other.
        return_sequences: whether to return the outputs of all steps, not the last one
            alone.
        return_state: whether to return the last states as well.
        go_backwards: whether to step from the end to the beginning.
        stateful: whether each batch goes on where the one before ended; the size of the
            batch must be known then.
        unroll: whether to repeat the nodes of a step rather than to loop.
        zero_output_for_mask: whether the output of a masked step is 0 rather than that
            of the step before.

    Shapes:
        sequences: (batch, steps, features)
        mask: (batch, steps); where it does not hold the states stay as they are
        returns: (batch, units), or (batch, steps, units) if return_sequences
    """

    _not_owned = Layer._not_owned | {"states"}

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        stacked = isinstance(cell, (list, tuple))
        self.cell: Any = StackedRNNCells(cell) if stacked else cell
        if not hasattr(self.cell, "state_size"):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (single integer or "
                f"list of integers, one integer per RNN state). Received: cell={cell}"
            )
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states: list[Any] | None = None
        self.supports_masking = True

    def build(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, sequences_shape: Sequence[int | None], initial_state_shape: Any = None
    ) -> None:
        batch, _, *features = sequences_shape
        if not self.cell.built:
            self.cell.build((batch, *features))
        if self.stateful and batch is None:
            raise ValueError(
                "When using `stateful=True` in a RNN, the batch size must be static. "
                f"Found dynamic batch size: sequence.shape={tuple(sequences_shape)}"
            )
        if self.stateful:
            self.states = K.tree.map_structure(
                lambda x: K.Variable(x, trainable=False, name="rnn_state"),
                self.get_initial_state(batch),
            )

    @property
    def state_size(self) -> list[Any]:
        """The size of each of the cell's states."""
        size = self.cell.state_size
        return list(size) if K.tree.is_nested(size) else [size]

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Return the states before the first step: the cell's, or else zeros."""
        return initial_state(self.cell, batch_size, self.compute_dtype)

    def reset_state(self) -> None:
        """Let a stateful layer start anew: all states become 0."""
        for state in K.tree.flatten(self.states or ()):
            state.assign(K.zeros(state.shape, state.dtype))

    reset_states = reset_state

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = None,
    ) -> Any:
        batch = K.shape(sequences)[0]
        self._check_batch(known_shape(sequences)[0])
        states = self.states if self.stateful else self.get_initial_state(batch)
        if initial_state is not None:
            nested = K.tree.is_nested(initial_state)
            states = list(initial_state) if nested else [initial_state]
        with same_noise(self.cell, batch, training):
            last, outputs, states = K.rnn(
                lambda x, s: self.step(x, s, training),
                self.project(_swap_time(sequences), training),
                K.tree.map_structure(lambda s: K.cast(s, self.compute_dtype), states),
                go_backwards=self.go_backwards,
                mask=None if mask is None else _swap_time(mask),
                unroll=self.unroll,
                time_major=True,
                zero_output_for_mask=self.zero_output_for_mask,
                return_all_outputs=self.return_sequences,
            )
        if self.stateful:
            self.keep(states)
        y = _swap_time(outputs) if self.return_sequences else last
        return (y, *states) if self.return_state else y

    def _check_batch(self, size: int | None) -> None:
        kept = K.tree.flatten(self.states or ())
        if kept and size not in (None, kept[0].shape[0]):
            raise ValueError(
                "A stateful RNN takes one batch size: it was built for "
                f"{kept[0].shape[0]} samples and got {size}. The batch size must match."
            )

    def project(self, x: Any, training: Any) -> Any:
        """Return what `step` wants of the inputs: a product, made for all steps."""
        if not is_projecting(self.cell):
            return x
        with _inside(self.cell):
            return self.cell.project(x, training)

    def step(self, x: Any, states: Any, training: Any) -> tuple[Any, list[Any]]:
        """Return the output of one step, and the new states."""
        if is_projecting(self.cell):
            with _inside(self.cell):
                return self.cell.step(x, states, training)
        y, new = self.cell(x, list(states), training=training)
        return y, list(new) if K.tree.is_nested(new) else [new]

    def keep(self, states: Any) -> None:
        """Let the next batch start with these states."""
        pairs = zip(K.tree.flatten(self.states), K.tree.flatten(states), strict=True)
        for variable, state in pairs:
            variable.assign(state)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return the mask of the steps, if there are any left; states have none."""
        mask = K.tree.flatten(mask)[0] if self.return_sequences else None
        if not self.return_state:
            return mask
        return [mask, *(None for _ in K.tree.flatten(self.cell.state_size))]


@contextmanager
def _inside(cell: Any) -> Iterator[None]:
    """Name nodes and read variables as a call of the cell does."""
    with K.name_scope(cell.name), K.AutocastScope(cell.compute_dtype):
        yield


def _swap_time(x: Any) -> Any:
    return K.swapaxes(x, 0, 1)


class WithCell(RNN):
    """Base of layers that make their cell themselves, from their own arguments."""

    cell_class: ClassVar[type[Any]]
    _shows_penalty = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        use_cudnn = kwargs.pop("use_cudnn", "auto")  # Keras's: how to compute the same
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                "Invalid valid received for argument `use_cudnn`. Expected one of "
                f"{{'auto', True, False}}. Received: use_cudnn={use_cudnn}"
            )
        shared = {k: kwargs[k] for k in ("dtype", "trainable") if k in kwargs}
        names = {*K.constructor_arguments(self.cell_class), "implementation"}
        names -= {*K.constructor_arguments(Layer)}
        own = {name: kwargs.pop(name) for name in names & kwargs.keys()}
        name = K.to_snake_case(self.cell_class.__name__)
        cell = self.cell_class(*args, name=name, **shared, **own)
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def __getattr__(self, name: str) -> Any:
        """Return an argument of the cell."""
        if name in K.constructor_arguments(self.cell_class) and "cell" in vars(self):
            return getattr(self.cell, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        return {**self.cell.get_config(), **config}


@takes(
    "units activation use_bias",
    rules("kernel", "recurrent", "bias"),
    "dropout recurrent_dropout return_sequences return_state go_backwards stateful",
    "unroll seed",
)
class SimpleRNN(WithCell):
    """Fully connected recurrence: ``h' = activation(x W + h U + b)`` at each step.

    Args:
        units: size of the output, and of the state; above 0.
        activation: tanh by default.
        use_bias: whether to add a bias.
        kwargs: ``kernel_initializer``, ``recurrent_initializer``, ``bias_initializer``
            and the same with regularizer and constraint; ``dropout`` and
            ``recurrent_dropout``, the shares of inputs and of the state dropped in
            training, the same at each step; ``seed``; and the arguments of `RNN`.

    Shapes:
        sequences: (batch, steps, features)
        returns: (batch, units), or (batch, steps, units) if return_sequences
    """

    cell_class = SimpleRNNCell

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)


@takes(
    "units activation recurrent_activation use_bias",
    rules("kernel", "recurrent", "bias", between="unit_forget_bias"),
    "dropout recurrent_dropout seed return_sequences return_state go_backwards",
    "stateful unroll use_cudnn",
    use_cudnn="auto",
)
class LSTM(WithCell):
    """Long short-term memory; see `LSTMCell` for the formula.

    Args:
        units: size of the output, and of both states; above 0.
        activation: tanh by default.
        recurrent_activation: of the gates; sigmoid by default.
        use_bias: whether to add a bias.
        kwargs: ``unit_forget_bias``, and those of `SimpleRNN`.

    Shapes:
        sequences: (batch, steps, features)
        returns: (batch, units), or (batch, steps, units) if return_sequences
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **kwargs)


@takes(
    "units activation recurrent_activation use_bias",
    rules("kernel", "recurrent", "bias"),
    "dropout recurrent_dropout seed return_sequences return_state go_backwards",
    "stateful unroll reset_after use_cudnn",
    use_cudnn="auto",
)
class GRU(WithCell):
    """Gated recurrent units; see `GRUCell` for the formula.

    Args:
        units: size of the output, and of the state; above 0.
        activation: tanh by default.
        recurrent_activation: of the gates; sigmoid by default.
        use_bias: whether to add a bias.
        kwargs: ``reset_after``, and those of `SimpleRNN`.

    Shapes:
        sequences: (batch, steps, features)
        returns: (batch, units), or (batch, steps, units) if return_sequences
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, use_bias, **kwargs)
