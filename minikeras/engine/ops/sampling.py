"""Random numbers, as functions: of a key and a shape.

A sampler has no state: the same key gives the same numbers. A key is two words of
uint32, from one of

- `random_key(seed)`: a fixed one;
- `next_key(seed)`: in a graph, a new one for each run and each pass of a loop;
- `fold_in(key, number)`: a further key, made of another;
- `pass_key(key)`: a further key, a new one for each pass of a loop.

The bits are those of Philox (engine/kernels/philox.py), alike on NumPy and CuPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from minikeras.engine import devices, dtypes, shapes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Node, Subgraph, Tensor, current_graph
from minikeras.engine.kernels import laws, philox
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.arithmetic import add, multiply
from minikeras.engine.ops.indexing import take
from minikeras.engine.ops.reshaping import (
    Sizes,
    as_sizes,
    broadcast_onto,
    shape,
    sizes_of,
)
from minikeras.engine.ops.slicing import getitem
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = [
    "fold_in",
    "next_key",
    "pass_key",
    "random_bernoulli",
    "random_categorical",
    "random_integers",
    "random_key",
    "random_normal",
    "random_permutation",
    "random_shuffle",
    "random_uniform",
    "truncated_normal",
]

KEY = Spec((2,), dtypes.as_dtype("uint32"))
FLOAT64 = dtypes.as_dtype("float64")


# -- keys ------------------------------------------------------------------------------


def random_key(seed: int) -> Array:
    """Return the key of an integer `seed`, of which the last 64 bits count."""
    return devices.to_device(philox.derived_key(seed))


class NextKey(Op, name="next_key"):
    """y = a key made of the seed, this op's number, the run and the loops' passes."""

    seed: int
    number: int
    stateful = True

    def infer(self) -> Spec:
        return KEY

    def run(self, run: Any, node: Node) -> Array:
        key = philox.derived_key(self.seed, self.number, run.step, *run.path)
        return devices.to_device(key)


def next_key(seed: int | None = None) -> Tensor:
    """Return a key which is new in each run of a session, and in each pass of a loop.

    The n-th run of the same program always has the same keys.

    Args:
        seed: two ops with the same seed have the same keys. By default an op's seed is
            how many ops of this kind its graph had before it.
    """
    graph = current_graph()
    while isinstance(graph, Subgraph):
        graph = graph.parent
    if seed is None:
        count = len(graph.get_collection("random_ops"))
        graph.add_to_collection("random_ops", count)
        seed = -1 - count  # negative: apart from the seeds that people choose
    return NextKey(graph.seed or 0, seed)()


class PassKey(Op, name="pass_key"):
    """y = a key made of another and of the passes of the loops around."""

    stateful = True
    vjp = no_gradient

    def infer(self, key: Spec) -> Spec:
        check_key(self.name, key)
        return KEY

    def run(self, run: Any, node: Node, key: Array) -> Array:
        words = devices.to_host(key).tolist()
        return devices.to_device(philox.derived_key(*words, *run.path))


def pass_key(key: Any) -> Tensor:
    """Return a further key, a new one for each pass of the loops around."""
    return PassKey()(key)


class FoldIn(Op, name="fold_in"):
    """y = a key made of another and a number."""

    number: int
    vjp = no_gradient

    def infer(self, key: Spec) -> Spec:
        check_key(self.name, key)
        return KEY

    def kernel(self, xp: ModuleType, key: Array) -> Array:
        return philox.bits(xp, key, 2, 32, philox.WORD - 1 - self.number)


def fold_in(key: Any, number: int) -> Tensor:
    """Return a further key, one for each `number` from 0 on."""
    return FoldIn(number)(key)


def check_key(op: str, key: Spec) -> None:
    """Allow only keys.

    Raises:
        DTypeError: if it is not of uint32.
        ShapeError: if it has not two words.
    """
    if key.dtype != KEY.dtype:
        raise DTypeError(f"{op}: a key is of uint32, from random_key; got {key.dtype}")
    if key.shape is not None and not (
        len(key.shape) == 1 and shapes.compatible(key.shape[0], 2)
    ):
        raise ShapeError(f"{op}: a key has 2 words; got shape {shapes.show(key.shape)}")


# -- bits ------------------------------------------------------------------------------


class RandomBits(Op, name="random_bits"):
    """y = random unsigned integers of so many bits, to fill a shape."""

    width: int
    any_rank = True
    binds = True
    vjp = no_gradient

    def infer(self, key: Spec, shape: Spec) -> Spec:
        check_key(self.name, key)
        return Spec(sizes_of(shape), dtypes.as_dtype(f"uint{self.width}"))

    def kernel(self, xp: ModuleType, key: Array, shape: Array) -> Array:
        sizes = shape.tolist()
        return philox.bits(xp, key, math.prod(sizes), self.width).reshape(sizes)

    def bind(self, y: Array, key: Array, shape: Array) -> Callable[[], object]:
        """Return the call that fills `y` with the bits."""
        return philox.drawing(y.reshape(-1), key)


class OfBits(Op):
    """Independent draws from one distribution, each made of random bits by itself."""

    any_rank = True
    vjp = no_gradient
    dtype: DType

    def infer(self, bits: Spec, *parameters: Spec) -> Spec:
        for parameter in parameters:
            broadcast_onto(self.name, parameter.shape, bits.shape)
        return Spec(bits.shape, self.dtype)


# -- the standard distributions --------------------------------------------------------


class Sampler(Op):
    """Independent draws from one distribution, to fill a shape."""

    any_rank = True
    vjp = no_gradient
    dtype: DType

    def infer(self, key: Spec, shape: Spec, *parameters: Spec) -> Spec:
        check_key(self.name, key)
        sizes = sizes_of(shape)
        for parameter in parameters:
            broadcast_onto(self.name, parameter.shape, sizes)
        return Spec(sizes, self.dtype)


class Standard(Sampler):
    """Draws from a distribution without parameters, of floating-point numbers."""

    law: ClassVar[laws.Law]
    binds = True

    def infer(self, key: Spec, shape: Spec, *parameters: Spec) -> Spec:
        _check_floating(self)
        return super().infer(key, shape, *parameters)

    def kernel(self, xp: ModuleType, key: Array, shape: Array) -> Array:
        sizes = shape.tolist()
        count = math.prod(sizes)
        return laws.draw(xp, self.law, key, count, self.dtype).reshape(sizes)

    def bind(self, y: Array, key: Array, shape: Array) -> Callable[[], object]:
        """Return the call that fills `y` with draws."""
        return laws.drawing(self.law, y.reshape(-1), key, self.dtype)


def _check_floating(op: Standard | RandomUniform) -> None:
    if not op.dtype.is_floating:
        raise DTypeError(f"{op.name}: not a floating-point dtype: {op.dtype}")


class RandomUniform(OfBits, name="random_uniform"):
    """y is uniform on [0, 1)."""

    def infer(self, bits: Spec, *parameters: Spec) -> Spec:
        _check_floating(self)
        return super().infer(bits)

    def kernel(self, xp: ModuleType, bits: Array) -> Array:
        return laws.uniform(xp, bits, self.dtype)


class RandomStandardNormal(Standard, name="random_normal"):
    """y is normal, of mean 0 and standard deviation 1."""

    law = staticmethod(laws.normal)


class TruncatedNormal(Standard, name="truncated_normal"):
    """y is normal, of mean 0 and standard deviation 1, given that |y| <= 2."""

    law = staticmethod(laws.truncated)


def _float(dtype: Any) -> DType:
    return dtypes.floatx() if dtype is None else dtypes.as_dtype(dtype)


def _scaled(y: Any, low: Any, scale: Any) -> Tensor:
    """Return ``low + scale * y`` of standard draws y: gradients reach low and scale."""
    wanted, plain = y.dtype, (int, float)
    if not (isinstance(scale, plain) and scale == 1):
        y = multiply(y, scale)
    if not (isinstance(low, plain) and low == 0):
        y = add(y, low)
    return cast(y, wanted)


def random_uniform(
    key: Any, shape: Sizes, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None
) -> Tensor:
    """Return numbers that are uniform on [minval, maxval).

    Args:
        key: two words of uint32.
        shape: of the result.
        minval: the lowest number; broadcasts to `shape`.
        maxval: above all numbers, except that rounding may reach it.
        dtype: of the result, floating-point; the default float if None.
    """
    wanted = _float(dtype)
    bits = RandomBits(64 if wanted == "float64" else 32)(key, as_sizes(shape))
    return _scaled(RandomUniform(wanted)(bits), minval, maxval - minval)


def random_normal(
    key: Any, shape: Sizes, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None
) -> Tensor:
    """Return normally distributed numbers.

    Args:
        key: two words of uint32.
        shape: of the result.
        mean: broadcasts to `shape`.
        stddev: standard deviation; broadcasts to `shape`.
        dtype: of the result, floating-point; the default float if None.
    """
    y = RandomStandardNormal(_float(dtype))(key, as_sizes(shape))
    return _scaled(y, mean, stddev)


def truncated_normal(
    key: Any, shape: Sizes, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None
) -> Tensor:
    """Return normal numbers, of those within two standard deviations of the mean.

    Args:
        key: two words of uint32.
        shape: of the result.
        mean: broadcasts to `shape`.
        stddev: of the distribution before it is cut: that of the result is 0.88 times
            as large. Broadcasts to `shape`.
        dtype: of the result, floating-point; the default float if None.
    """
    y = TruncatedNormal(_float(dtype))(key, as_sizes(shape))
    return _scaled(y, mean, stddev)


# -- integers and choices --------------------------------------------------------------


class RandomUniformInt(OfBits, name="random_integers"):
    """y is any of the integers from minval up to, not with, maxval."""

    def kernel(
        self, xp: ModuleType, bits: Array, minval: Array, maxval: Array
    ) -> Array:
        low = minval.astype("int64")
        # A remainder prefers low numbers by less than one part in 2**64 / span.
        span = (maxval.astype("int64") - low).astype("uint64")
        return ((bits % span).astype("int64") + low).astype(self.dtype.as_numpy_dtype)


def random_integers(
    key: Any, shape: Sizes, minval: Any, maxval: Any, dtype: Any = "int32"
) -> Tensor:
    """Return integers, each as likely as the others.

    Args:
        key: two words of uint32.
        shape: of the result.
        minval: the lowest integer; broadcasts to `shape`.
        maxval: one above the highest; broadcasts to `shape`.
        dtype: of the result.
    """
    bits = RandomBits(64)(key, as_sizes(shape))
    return RandomUniformInt(dtypes.as_dtype(dtype))(bits, minval, maxval)


class RandomBernoulli(OfBits, name="random_bernoulli"):
    """y is true with probability p."""

    dtype: DType = dtypes.as_dtype("bool")

    def kernel(self, xp: ModuleType, bits: Array, p: Array) -> Array:
        limit = xp.clip(p.astype("float64") * 2**32, 0, 2**32 - 1).astype("uint32")
        return (bits < limit) | (p >= 1)


def random_bernoulli(
    key: Any, shape: Sizes, p: Any = 0.5, dtype: Any = "bool"
) -> Tensor:
    """Return truth values, or zeros and ones, that are true with probability `p`.

    Args:
        key: two words of uint32.
        shape: of the result.
        p: probability, in [0, 1]; kept to 32 binary digits. Broadcasts to `shape`.
        dtype: of the result.
    """
    return cast(RandomBernoulli()(RandomBits(32)(key, as_sizes(shape)), p), dtype)


class Multinomial(Op, name="random_categorical"):
    """y[i, j] is class c with probability softmax(logits[i])[c]."""

    num_samples: int
    vjp = no_gradient

    def infer(self, key: Spec, logits: Spec) -> Spec:
        check_key(self.name, key)
        if len(logits.known) != 2:
            raise ShapeError(
                "random_categorical: logits of shape (batch, classes) are wanted; got "
                f"{shapes.show(logits.shape)}"
            )
        return Spec((logits.known[0], self.num_samples), dtypes.as_dtype("int32"))

    def infer_any_rank(self, key: Spec, logits: Spec) -> Spec:
        return Spec((None, self.num_samples), dtypes.as_dtype("int32"))

    def kernel(self, xp: ModuleType, key: Array, logits: Array) -> Array:
        x = logits.astype("float64")
        steps = xp.cumsum(xp.exp(x - x.max(-1, keepdims=True)), -1)
        sizes = (len(x), self.num_samples)
        u = laws.draw(xp, laws.uniform, key, math.prod(sizes), FLOAT64).reshape(sizes)
        # The distribution function is inverted: count the steps below u.
        below = steps[:, None, :] <= (u * steps[:, -1:])[..., None]
        return below.sum(-1).astype("int32")


def random_categorical(key: Any, logits: Any, num_samples: int) -> Tensor:
    """Return classes, drawn with the probabilities softmax(logits).

    Shapes:
        key: (2)
        logits: (batch, classes)
        returns: (batch, num_samples), int32
    """
    return Multinomial(num_samples)(key, logits)


class RandomPermutation(Op, name="random_permutation"):
    """y = the integers below n, in random order."""

    any_rank = True
    vjp = no_gradient

    def infer(self, key: Spec, n: Spec) -> Spec:
        check_key(self.name, key)
        return Spec(n.value or (None,), dtypes.as_dtype("int32"))

    def kernel(self, xp: ModuleType, key: Array, n: Array) -> Array:
        # Equal words, which would keep their order, are as good as impossible.
        return xp.argsort(philox.bits(xp, key, int(n), 64), kind="stable").astype(
            "int32"
        )


def random_permutation(key: Any, n: Any) -> Tensor:
    """Return the integers from 0 up to, not with, `n` in random order (int32)."""
    return RandomPermutation()(key, n)


def random_shuffle(key: Any, x: Any, axis: int = 0) -> Tensor:
    """Return `x` with its slices along `axis` in random order."""
    return take(x, random_permutation(key, getitem(shape(x), axis)), axis)
