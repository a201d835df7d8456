"""Random numbers, the same ones every time: each draw is a function of a key.

A key is two uint32 numbers, a seed and a count. A `SeedGenerator` hands out keys and
counts on; an integer seed is one fixed key. Without a seed, keys come from a global
generator, whose own seed is fixed until `set_random_seed` changes it: a program repeats
bit for bit, unless it asks for something else.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from minikeras.backend.config import floatx
from minikeras.backend.naming import auto_name, name_scope
from minikeras.backend.registry import Registry
from minikeras.backend.serialization import Configured
from minikeras.backend.tracing import current_trace
from minikeras.backend.updates import variable
from minikeras.backend.variables import Variable
from minikeras.engine import ops as engine
from minikeras.engine.graph import Subgraph, Tensor, current_graph, is_symbolic

__all__ = [
    "SeedGenerator",
    "draw_seed",
    "dropout",
    "global_seed_generator",
    "make_default_seed",
    "random_bernoulli",
    "random_beta",
    "random_binomial",
    "random_categorical",
    "random_gamma",
    "random_integers",
    "random_normal",
    "random_normal_variable",
    "random_seed_dtype",
    "random_shuffle",
    "random_uniform",
    "random_uniform_variable",
    "set_random_seed",
    "truncated_normal",
]

Seed = Any  # None, an integer, or a SeedGenerator

_MASK = 0xFFFFFFFF

# Seeds for generators that are given none.
_seeds = random.Random(0)
_global: list[SeedGenerator] = []


class SeedGenerator(Configured):
    """A sequence of keys, each used once.

    Args:
        seed: from 0 to 2**32 - 1; by default the next of a global sequence, which
            `set_random_seed` starts anew.
        name: of the generator.

    Raises:
        ValueError: if the seed is not an integer.

    Example:
        >>> keys = SeedGenerator(seed=7)
        >>> keys.next(), keys.next()
        (array([7, 0], dtype=uint32), array([7, 1], dtype=uint32))
    """

    def __init__(
        self, seed: int | None = None, name: str | None = None, **kwargs: Any
    ) -> None:
        if kwargs:
            raise ValueError(f"Unrecognized keyword arguments: {kwargs}")
        if seed is not None and not isinstance(seed, int):
            raise ValueError(
                f"Argument `seed` must be an integer. Received: seed={seed}"
            )
        self.seed = seed
        self.name = name or auto_name(type(self).__name__)
        drawn = make_default_seed() if seed is None else seed
        self._first = drawn
        self._symbolic = 0
        with name_scope(self.name):
            self.state = Variable(
                lambda shape, dtype: np.array([drawn & _MASK, 0], dtype),
                shape=(2,),
                dtype=random_seed_dtype(),
                trainable=False,
                name="seed_generator_state",
            )

    @property
    def variables(self) -> list[Variable]:
        """Its state, as the one variable that it has."""
        return [self.state]

    def next(self, ordered: bool = True) -> Any:
        """Return the next key: an array, or a tensor inside a traced function.

        Args:
            ordered: whether keys count on; else both of their numbers are mixed.
        """
        key = self.state.value
        counted = key + np.array([0, 1], np.uint32)
        self.state.assign(counted if ordered else (key + 1) * 5387 % 933199)
        return key

    def next_symbolic(self) -> Tensor:
        """Return a tensor that is a new key in each run, without the state's help."""
        self._symbolic += 1
        return engine.next_key((self._first << 32) + self._symbolic)


Registry("keras.random", "seed generator", [SeedGenerator])


def random_seed_dtype() -> str:
    """Return the dtype of keys."""
    return "uint32"


def make_default_seed() -> int:
    """Return the next seed of the global sequence: for what is given none."""
    return _seeds.randint(1, 10**9)


def set_random_seed(seed: int) -> None:
    """Start all random sequences anew: Python's, NumPy's, and the generators' here.

    Generators that exist already keep their state, except for the global one.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - users' own code may draw from it
    _seeds.seed(seed)
    _global.clear()


def draw_seed(seed: Seed, symbolic: bool = False) -> Any:
    """Return the key for one draw.

    Inside a traced function it is a tensor, and the generator counts on in each run. In
    a graph that is merely built, nothing counts: there the key is one more of the
    engine's own, a new one in each run. Inside a loop each pass has a key of its own.

    Args:
        seed: an integer for one fixed key, a generator, None for the global one, or a
            key that was drawn before, to use it again.
        symbolic: whether the draw will be part of a graph.

    Raises:
        ValueError: if `seed` is not None, an integer or a generator.
    """
    if isinstance(seed, int):
        return np.array([seed & _MASK, 0], np.uint32)
    if getattr(seed, "dtype", None) == "uint32":
        return seed
    generator = global_seed_generator() if seed is None else seed
    if not isinstance(generator, SeedGenerator):
        raise ValueError(
            "Argument `seed` must be either an integer or an instance of "
            f"`SeedGenerator`. Received: seed={seed} (of type {type(seed)})"
        )
    trace = current_trace()
    if trace.is_symbolic if trace else symbolic:
        return generator.next_symbolic()
    graph = current_graph()
    if not isinstance(graph, Subgraph):
        return generator.next()
    while isinstance(graph, Subgraph):
        graph = graph.parent
    with graph.as_default():
        key = generator.next()
    return engine.pass_key(key)


def global_seed_generator() -> SeedGenerator:
    """Return the generator of whatever is given no seed."""
    if not _global:
        _global.append(SeedGenerator(name="global_seed_generator"))
    return _global[0]


# -- distributions ---------------------------------------------------------------------


def random_uniform(
    shape: Any,
    minval: Any = 0.0,
    maxval: Any = 1.0,
    dtype: Any = None,
    seed: Seed = None,
) -> Tensor:
    """Return numbers that are uniform on [minval, maxval).

    Args:
        shape: of the result; sizes may be tensors.
        minval: the lowest number.
        maxval: above all numbers.
        dtype: floating-point, floatx by default.
        seed: None, an integer (the same numbers every time) or a `SeedGenerator`.
    """
    key = draw_seed(seed, is_symbolic((shape, minval, maxval)))
    return engine.random_uniform(key, shape, minval, maxval, dtype)


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return normally distributed numbers; the arguments are as in `random_uniform`."""
    key = draw_seed(seed, is_symbolic((shape, mean, stddev)))
    return engine.random_normal(key, shape, mean, stddev, dtype)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return normal numbers, those within two standard deviations of the mean."""
    key = draw_seed(seed, is_symbolic((shape, mean, stddev)))
    return engine.truncated_normal(key, shape, mean, stddev, dtype)


def random_integers(
    shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Return integers from `minval` up to, not with, `maxval`."""
    key = draw_seed(seed, is_symbolic((shape, minval, maxval)))
    return engine.random_integers(key, shape, minval, maxval, dtype)


def random_bernoulli(
    shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return ones with probability `p`, else zeros; floatx by default."""
    key = draw_seed(seed, is_symbolic((shape, p)))
    return engine.random_bernoulli(key, shape, p, dtype or floatx())


def random_binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return how many of `counts` events happen, each with its probability."""
    key = draw_seed(seed, is_symbolic((shape, counts, probabilities)))
    return engine.random_binomial(key, shape, counts, probabilities, dtype)


def random_gamma(
    shape: Any, alpha: Any, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return gamma-distributed numbers of shape parameter `alpha` and scale 1."""
    key = draw_seed(seed, is_symbolic((shape, alpha)))
    return engine.random_gamma(key, shape, alpha, dtype)


def random_beta(
    shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Seed = None
) -> Tensor:
    """Return beta-distributed numbers, between 0 and 1."""
    key = draw_seed(seed, is_symbolic((shape, alpha, beta)))
    return engine.random_beta(key, shape, alpha, beta, dtype)


def random_normal_variable(
    shape: Any,
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Seed = None,
) -> Variable:
    """Return a variable of normally distributed numbers."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Any,
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: Seed = None,
) -> Variable:
    """Return a variable of numbers that are uniform on [low, high)."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


# -- choices among what is there -------------------------------------------------------


def random_categorical(
    logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None
) -> Tensor:
    """Return classes, drawn with the probabilities softmax(logits).

    Shapes:
        logits: (batch, classes)
        returns: (batch, num_samples)
    """
    key = draw_seed(seed, is_symbolic(logits))
    return engine.cast(engine.random_categorical(key, logits, num_samples), dtype)


def random_shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Tensor:
    """Return `x` with its slices along `axis` in random order."""
    return engine.random_shuffle(draw_seed(seed, is_symbolic(x)), x, axis)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Seed = None) -> Tensor:
    """Return `x` with a share of its elements set to 0, the rest scaled up to make up.

    Args:
        x: of floating point.
        level: the share, in [0, 1].
        noise_shape: shape of the choices, which broadcast to that of `x`: elements
            along an axis of size 1 are dropped together. None is the size of `x`.
        seed: None, an integer (the same choices every time) or a `SeedGenerator`.

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks
    from overfitting", JMLR 15.
    """
    if isinstance(level, (int, float)) and level in (0, 1):
        return engine.identity(x) if level == 0 else engine.zeros_like(x)
    sizes = engine.shape(x)
    if noise_shape is not None:
        sizes = [sizes[i] if n is None else n for i, n in enumerate(noise_shape)]
    key = draw_seed(seed, is_symbolic((x, level, noise_shape)))
    kept = engine.random_bernoulli(key, sizes, 1 - level)
    return engine.where(kept, engine.divide(x, 1 - level), 0)
