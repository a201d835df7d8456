"""LSTM, GRU and the plain RNN of ONNX, which steps along the first axis.

Of each direction: the weights of all gates under one another, the biases of inputs and
of states side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.reading.elementwise import size_along
from minikeras.export.reading.program import Step, enter

__all__: list[str] = []

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "Elu": ops.elu,
    "Relu": ops.relu,
    "Sigmoid": ops.sigmoid,
    "Softplus": ops.softplus,
    "Softsign": ops.softsign,
    "Tanh": ops.tanh,
}


class Direction:
    """One pass over the sequence.

    Args:
        n: the node.
        number: which of its directions it is.
        defaults: its activations, if the node does not say.
        weights: for inputs, for states, and biases, of all directions.
    """

    def __init__(
        self, n: Step, number: int, defaults: Sequence[str], weights: Sequence[Any]
    ) -> None:
        w, r, b = weights
        self.step = n
        self.w, self.r = ops.transpose(w[number]), ops.transpose(r[number])
        self.units = int(r.shape[-1])
        self.b = None if b is None else b[number]
        count = len(defaults)
        names = n.get("activations") or [*defaults] * 2
        self.activations = [
            _activation(name) for name in names[count * number : count * (number + 1)]
        ]

    def bias(self, of_states: bool) -> Any:
        """Return the biases that go with inputs, or with states."""
        if self.b is None:
            return 0.0
        half = self.b.shape[0] // 2
        return self.b[half:] if of_states else self.b[:half]

    def gates(self, values: Any, count: int) -> list[Any]:
        """Return values for all gates apart."""
        u = self.units
        return [values[..., i * u : (i + 1) * u] for i in range(count)]


def _activation(name: str) -> Callable[[Any], Any]:
    if name not in ACTIVATIONS:
        raise UnsupportedError(f"the activation {name!r}")
    return ACTIVATIONS[name]


Cell = Callable[[Direction, Any, list[Any]], list[Any]]


def _lstm_cell(d: Direction, x: Any, state: list[Any]) -> list[Any]:
    h, c = state
    f, g, k = d.activations
    i, o, forget, new = d.gates(x + h @ d.r + d.bias(True), 4)
    c = f(forget) * c + f(i) * g(new)
    return [f(o) * k(c), c]


def _gru_cell(d: Direction, x: Any, state: list[Any]) -> list[Any]:
    (h,) = state
    f, g = d.activations
    xz, xr, xh = d.gates(x, 3)
    bias = d.bias(True)
    kernels = d.gates(d.r, 3)
    bz, br, bh = d.gates(bias, 3) if d.b is not None else (0.0,) * 3
    z, r = f(xz + h @ kernels[0] + bz), f(xr + h @ kernels[1] + br)
    if d.step.get("linear_before_reset"):
        new = g(xh + r * (h @ kernels[2] + bh))
    else:
        new = g(xh + (r * h) @ kernels[2] + bh)
    return [(1 - z) * new + z * h]


def _rnn_cell(d: Direction, x: Any, state: list[Any]) -> list[Any]:
    (h,) = state
    (f,) = d.activations
    return [f(x + h @ d.r + d.bias(True))]


def _passed(
    n: Step, cell: Cell, d: Direction, x: Any, state: list[Any], back: bool
) -> Any:
    """Return the last states of a pass, and the outputs at all steps."""
    inputs = x @ d.w + d.bias(False)

    def step(carry: list[Any], row: Any) -> Any:
        new = cell(d, row, carry)
        return new, new[0]

    return ops.scan(step, state, inputs, reverse=back)


def _run(
    n: Step, cell: Cell, defaults: Sequence[str], given: Sequence[Any], states: int
) -> Any:
    """Return all outputs of a node: of every step, and the last states."""
    x, w, r, b, lengths, *initial = [*given, *[None] * (8 - len(given))][: 5 + states]
    for feature in ("clip", "layout", "input_forget"):
        if n.get(feature):
            raise UnsupportedError(f"the attribute {feature!r}")
    peepholes = given[5 + states :]
    if lengths is not None or any(p is not None for p in peepholes):
        raise UnsupportedError("lengths of sequences, or peepholes")
    ways = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    passes = []
    for number, back in enumerate(ways[n.get("direction", "forward")]):
        d = Direction(n, number, defaults, (w, r, b))
        blank = ops.full([size_along(x, 1), d.units], 0.0, x.dtype)
        state = [blank if s is None else s[number] for s in initial]
        passes.append(_passed(n, cell, d, x, state, back))
    outputs = ops.stack([rows for _, rows in passes], 1)
    last = zip(*(final for final, _ in passes), strict=True)
    return [outputs, *(ops.stack(list(each), 0) for each in last)]


@enter("LSTM")
def lstm(n: Step, *given: Any) -> Any:
    """Run through a sequence with gates and a cell."""
    return _run(n, _lstm_cell, ("Sigmoid", "Tanh", "Tanh"), given, 2)


@enter("GRU")
def gru(n: Step, *given: Any) -> Any:
    """Run through a sequence with gates."""
    return _run(n, _gru_cell, ("Sigmoid", "Tanh"), given, 1)


@enter("RNN")
def rnn(n: Step, *given: Any) -> Any:
    """Run through a sequence."""
    return _run(n, _rnn_cell, ("Tanh",), given, 1)
