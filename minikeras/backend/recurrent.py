"""`rnn`: one step function, repeated along the steps of its inputs, with masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.introspection import int_shape, ndim, rank
from minikeras.engine import ops as engine
from minikeras.engine import tree
from minikeras.engine.graph import Tensor

__all__ = ["rnn"]


def rnn(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, Any]:
    """Step through `inputs`: ``output, states = step_function(input, states)``.

    Where `mask` is False the states stay as they are, and the output is the previous
    one, which the first state is taken to be.

    Args:
        step_function: of the input of one step (batch, ...), and the states followed by
            the constants; returns the output and the new states.
        inputs: tensors in any nesting.
        initial_states: the states before the first step.
        go_backwards: step from the last input to the first; outputs come in that order.
        mask: which steps count, of booleans.
        constants: given to each step.
        unroll: repeat the step's nodes rather than loop; the number of steps must be
            known. Longer to build, shorter to run if the steps are few.
        input_length: accepted, as in Keras 2.
        time_major: whether steps come before the batch in inputs, mask and outputs.
        zero_output_for_mask: put out zeros, not the previous output, where masked.
        return_all_outputs: if False, only the last output is kept, as a single step.

    Shapes:
        inputs: (batch, steps, ...)
        mask: (batch, steps) or (batch, steps, 1)
        returns: the last output (batch, ...), all outputs (batch, steps, ...), states

    Raises:
        ValueError: with `unroll`, if the number of steps is not known.
    """
    rows = [inputs] if mask is None else [inputs, engine.cast(_flat(mask), "bool")]
    if not time_major:
        rows = tree.map_structure(_swap_time, rows)
    seats: list[int | None] = []  # which of the new states the output is, if any

    def step(states: Any, row: Sequence[Any]) -> tuple[Any, Any]:
        x, *keep = row
        output, new = step_function(x, (*states, *(constants or ())))
        if keep:
            output, new = _masked(keep[0], output, new, states, zero_output_for_mask)
        seats[:] = [_seat(output, new)]
        return new, output

    repeat = _unrolled if unroll else engine.scan
    states, outputs = repeat(step, initial_states, rows, reverse=go_backwards)
    if go_backwards:
        outputs = tree.map_structure(lambda y: engine.flip(y, 0), outputs)
    if seats and seats[0] is not None:  # so that outputs need not be kept
        last = engine.identity(tree.flatten(states)[seats[0]])
    else:
        last = tree.map_structure(lambda y: y[-1], outputs)
    if not return_all_outputs:
        outputs = tree.map_structure(lambda y: engine.expand_dims(y, 0), last)
    if not time_major:
        outputs = tree.map_structure(_swap_time, outputs)
    return last, outputs, states


def _swap_time(x: Any) -> Tensor:
    return engine.swapaxes(x, 0, 1)


def _flat(mask: Any) -> Any:
    return engine.squeeze(mask, -1) if ndim(mask) == 3 else mask


def _output(states: Sequence[Any]) -> Any:
    """Return the previous output: the first state (of the last cell, if several)."""
    return states[-1][0] if tree.is_nested(states[0]) else states[0]


def _masked(keep: Any, output: Any, new: Any, states: Any, zero: bool) -> Any:
    """Return output and new states, with the old ones in the rows not to `keep`."""
    chosen = tree.map_structure(lambda s, n: _choose(keep, n, s), states, new)
    before, seat = _output(states), _seat(output, new)
    if not zero and seat is not None and seat == _seat(before, states):
        return tree.flatten(chosen)[seat], chosen
    other = engine.zeros_like(output) if zero else before
    return _choose(keep, output, other), chosen


def _seat(value: Any, states: Any) -> int | None:
    """Return the number of the state that `value` is, None if it is none."""
    places = (i for i, state in enumerate(tree.flatten(states)) if state is value)
    return next(places, None)


def _choose(keep: Any, new: Any, old: Any) -> Tensor:
    """Return the rows of `new` where `keep`, else those of `old`."""
    axes = range(1, rank(new))
    return engine.where(engine.expand_dims(keep, axes), new, old)


def _unrolled(
    step: Callable[..., Any], states: Any, rows: Any, reverse: bool = False
) -> tuple[Any, Any]:
    """Do what `scan` does, with nodes of its own for each step."""
    shape = int_shape(tree.flatten(rows)[0])
    if not shape or shape[0] is None:
        raise ValueError("rnn: unrolling needs a number of steps that is known")
    order = range(shape[0])[:: -1 if reverse else 1]
    outputs = []
    for t in order:
        states, y = step(states, tree.map_structure(lambda x, t=t: x[t], rows))
        outputs.append(y)
    ordered = (outputs[t] for t in order)
    return states, tree.map_structure(lambda *ys: engine.stack(ys), *ordered)
