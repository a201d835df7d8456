"""Learning rates that change with the step count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(K.Configured):
    """Base of schedules: a function from a step count to a learning rate."""

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`, which counts from 0."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override "
            "`__call__(self, step)`."
        )


def _positive(name: str, value: Any) -> Any:
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return value


def _steps(step: Any) -> Any:
    return K.cast(K.convert_to_tensor(step), K.floatx())


class _RateOfTime(LearningRateSchedule):
    """Base of schedules of the time ``t = step / decay_steps``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the unit of time.
        decay_rate: how fast.
        staircase: whether time is rounded down, so that the rate changes in steps.
        name: of the schedule.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name or type(self).__name__

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        K.show_name(cls, cls.__name__)

    def time(self, step: Any) -> Any:
        """Return t."""
        time = _steps(step) / self.decay_steps
        return K.floor(time) if self.staircase else time


class ExponentialDecay(_RateOfTime):
    """``initial_learning_rate decay_rate^t`` with ``t = step / decay_steps``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the unit of time.
        decay_rate: factor in one unit of time.
        staircase: whether time is rounded down, so that the rate changes in steps.
        name: of the schedule.

    Example:
        >>> float(ExponentialDecay(1.0, decay_steps=10, decay_rate=0.25)(5))
        0.5
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        decay = K.power(K.cast(self.decay_rate, K.floatx()), self.time(step))
        return self.initial_learning_rate * decay


class InverseTimeDecay(_RateOfTime):
    """``initial_learning_rate / (1 + decay_rate t)`` with ``t = step / decay_steps``.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: the unit of time.
        decay_rate: how fast.
        staircase: whether time is rounded down, so that the rate changes in steps.
        name: of the schedule.
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        return self.initial_learning_rate / (1.0 + self.decay_rate * self.time(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to and including each boundary, and one after the last.

    Args:
        boundaries: steps, rising.
        values: one more than there are boundaries.
        name: of the schedule.

    Raises:
        ValueError: if the numbers of boundaries and values do not fit.
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str | None = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, and "
                f"values={values} of length {len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step = K.convert_to_tensor(step)
        rate = K.cast(self.values[-1], K.floatx())
        pieces = zip(self.boundaries, self.values[:-1], strict=True)
        for boundary, value in reversed(list(pieces)):
            rate = K.where(step <= K.cast(boundary, step.dtype), value, rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """From one rate to another, as ``(1 - step / decay_steps)^power`` falls to 0.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: when the end is reached.
        end_learning_rate: from then on.
        power: 1 for a straight line.
        cycle: whether to start again with a longer decay, each time it has ended.
        name: of the schedule.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step, end = _steps(step), float(self.decay_steps)
        if self.cycle:
            end = end * K.maximum(K.ceil(step / end), 1.0)
        else:
            step = K.minimum(step, end)
        left = K.power(1.0 - step / end, float(self.power))
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a wave of a cosine, down to `alpha`; before it, if wanted, a linear rise.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: how long the decay takes.
        alpha: what is left in the end, as a share of where the decay began.
        name: of the schedule.
        warmup_target: the rate to which it first rises; None for no rise.
        warmup_steps: how long the rise takes.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        step, start = _steps(step), self.initial_learning_rate
        target, steps = self.warmup_target, float(self.warmup_steps)
        if target is None:
            return self._decay(step, start)
        decay = self._decay(step - steps, target)
        if not steps:
            return decay
        return K.where(step < steps, (target - start) * (step / steps) + start, decay)

    def _decay(self, step: Any, start: float) -> Any:
        done = K.minimum(step, float(self.decay_steps)) / self.decay_steps
        wave = 0.5 * (1.0 + K.cos(math.pi * done))
        return start * ((1 - self.alpha) * wave + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half waves of a cosine, one after the other, each from the top again.

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: length of the first one.
        t_mul: how many times longer each is than the one before.
        m_mul: how many times higher each starts than the one before.
        alpha: what is left at the end of each, as a share of the initial rate.
        name: of the schedule.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive("first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        """Return the learning rate at `step`."""
        time = _steps(step) / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = K.floor(time)
            done = time - restarts
        else:
            # Restart i is at (1 - t_mul^i) / (1 - t_mul): solve for i, round down.
            ratio = 1.0 - self.t_mul
            restarts = K.floor(K.log(1.0 - time * ratio) / math.log(self.t_mul))
            length = K.power(K.cast(self.t_mul, K.floatx()), restarts)
            done = (time - (1.0 - length) / ratio) / length
        height = K.power(K.cast(self.m_mul, K.floatx()), restarts)
        wave = 0.5 * height * (1.0 + K.cos(math.pi * done))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)


_registry = K.Registry(
    "keras.optimizers.schedules",
    "learning rate schedule",
    [
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        LearningRateSchedule,
        PiecewiseConstantDecay,
        PolynomialDecay,
    ],
)
serialize, deserialize = _registry.serialize, _registry.deserialize
