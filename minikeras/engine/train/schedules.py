"""Learning rates that depend on the step: each a tensor, computed in every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.engine import ops
from minikeras.engine.context import lazily
from minikeras.engine.dtypes import floatx
from minikeras.engine.graph import Tensor

__all__ = ["exponential_decay", "piecewise_constant", "polynomial_decay"]


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return learning_rate * decay_rate ^ (global_step / decay_steps).

    Args:
        learning_rate: at step 0.
        global_step: the step number, usually a variable.
        decay_steps: steps in which the rate shrinks by `decay_rate`.
        decay_rate: factor, in (0, 1) for a decay.
        staircase: whether the exponent is rounded down to an integer.
        name: of the result.
    """
    with lazily(name or "ExponentialDecay") as request:
        periods = ops.cast(global_step, floatx()) / decay_steps
        if staircase:
            periods = ops.floor(periods)
        result = learning_rate * ops.power(ops.cast(decay_rate, floatx()), periods)
    return request.settle(result)


def piecewise_constant(
    x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None
) -> Tensor:
    """Return values[i] from above boundaries[i - 1] up to and with boundaries[i].

    Args:
        x: the step number.
        boundaries: increasing numbers.
        values: one more than `boundaries`.
        name: of the result.

    Raises:
        ValueError: if there is not one value more than boundaries.
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError(
            f"piecewise_constant: {len(boundaries)} boundaries need "
            f"{len(boundaries) + 1} values; got {len(values)}"
        )
    with lazily(name or "PiecewiseConstant") as request:
        result = ops.identity(values[-1])
        for bound, value in zip(
            reversed(boundaries), reversed(values[:-1]), strict=True
        ):
            result = ops.where(ops.less_equal(x, bound), value, result)
    return request.settle(result)


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """Return (learning_rate - end) (1 - global_step / decay_steps) ^ power + end.

    Args:
        learning_rate: at step 0.
        global_step: the step number, usually a variable.
        decay_steps: steps after which the rate is `end_learning_rate`.
        end_learning_rate: end, where the rate stays.
        power: of the polynomial; 1 for a straight line.
        cycle: whether to start again, each time with a multiple of `decay_steps`.
        name: of the result.
    """
    with lazily(name or "PolynomialDecay") as request:
        step = ops.cast(global_step, floatx())
        steps = ops.cast(decay_steps, floatx())
        if cycle:
            steps = steps * ops.maximum(ops.ceil(step / steps), 1.0)
        else:
            step = ops.minimum(step, steps)
        remaining = ops.power(1.0 - step / steps, power)
        result = (learning_rate - end_learning_rate) * remaining + end_learning_rate
    return request.settle(result)
