"""The networks that are timed: each described once, as data, whoever builds it.

A layer is a tuple that knows the shape it gives; the modules beside this one say what
it is in Keras, in PyTorch, in JAX, and which matrix products it rests on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

Shape = tuple[int, ...]


class Dense(NamedTuple):
    """An affine map of the last axis, then relu where asked for."""

    units: int
    relu: bool = True

    def shape(self, inputs: Shape) -> Shape:
        """(..., n) to (..., units)."""
        return (*inputs[:-1], self.units)


class Conv(NamedTuple):
    """A convolution by 3 x 3 without padding, then relu."""

    filters: int

    def shape(self, inputs: Shape) -> Shape:
        """(height, width, channels) to (height - 2, width - 2, filters)."""
        return (inputs[0] - 2, inputs[1] - 2, self.filters)


class Pool(NamedTuple):
    """The greatest value of each 2 x 2 square."""

    def shape(self, inputs: Shape) -> Shape:
        """(height, width, channels) to (height // 2, width // 2, channels)."""
        return (inputs[0] // 2, inputs[1] // 2, inputs[2])


class Flatten(NamedTuple):
    """All axes but the batch in one."""

    def shape(self, inputs: Shape) -> Shape:
        """(a, b, ...) to (a * b * ...,)."""
        return (math.prod(inputs),)


class LSTM(NamedTuple):
    """A long short-term memory; its last output."""

    units: int

    def shape(self, inputs: Shape) -> Shape:
        """(steps, channels) to (units,)."""
        return (self.units,)


class Block(NamedTuple):
    """A transformer's block: attention to oneself, then two dense layers.

    Each of the halves is added to its input, and the sum normalized, as in the paper.
    """

    heads: int
    inner: int

    def shape(self, inputs: Shape) -> Shape:
        """(tokens, width) to the same."""
        return inputs


class Mean(NamedTuple):
    """The mean over the tokens."""

    def shape(self, inputs: Shape) -> Shape:
        """(tokens, width) to (width,)."""
        return inputs[1:]


Layer = Dense | Conv | Pool | Flatten | LSTM | Block | Mean


class Workload(NamedTuple):
    """A network, the batches it meets, and how long it is watched.

    Args:
        title: the row's name in a table.
        inputs: shape of one sample.
        layers: from the input to the output.
        batch: samples a step.
        steps: steps an epoch; of the epochs after the first, the best one counts.
        epochs: epochs after the first; more where they are fast, fewer if the process's
            budget is spent.
        task: what a step is: "train", "predict" (one sample), or "start", where only
            the first step counts, from the start of the process.
    """

    title: str
    inputs: Shape
    layers: tuple[Layer, ...]
    batch: int
    steps: int
    epochs: int = 6
    task: str = "train"

    @property
    def regression(self) -> bool:
        """Whether one number is wanted (squared error), not a class (cross-entropy)."""
        return self.layers[-1] == Dense(1, relu=False)

    def sized(self) -> Iterator[tuple[Layer, Shape]]:
        """Each layer, with the shape of the sample that enters it."""
        shape = self.inputs
        for layer in self.layers:
            yield layer, shape
            shape = layer.shape(shape)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """An epoch of samples and targets; a linear teacher makes them learnable."""
        import numpy as np

        rng = np.random.default_rng(0)
        shape = (self.steps * self.batch, *self.inputs)
        x = rng.standard_normal(shape, np.float32)
        classes = self.layers[-1].shape((1,))[-1]
        teacher = rng.standard_normal((math.prod(self.inputs), classes), np.float32)
        answers = x.reshape(len(x), -1) @ teacher
        return x, answers if self.regression else answers.argmax(-1).astype(np.int32)


def mlp(*sizes: int) -> tuple[Layer, ...]:
    """Dense layers, with relu on all but the last."""
    return (*map(Dense, sizes[:-1]), Dense(sizes[-1], relu=False))


CONVOLUTIONAL = (Conv(32), Pool(), Conv(64), Pool(), Flatten(), *mlp(10))
RECURRENT = (LSTM(128), *mlp(10))
TRANSFORMER = (Block(4, 512), Block(4, 512), Mean(), *mlp(10))

TABLE = {
    "linear": Workload("linear 8-1, batch 32", (8,), mlp(1), 32, 500),
    "mlp": Workload("MLP 784-64-10, batch 32", (784,), mlp(64, 10), 32, 300),
    "mlp-512": Workload(
        "MLP 784-512-512-10, batch 128", (784,), mlp(512, 512, 10), 128, 50
    ),
    "mlp-2048": Workload(
        "MLP 1024-2048-2048-1024-10, batch 1024",
        (1024,),
        mlp(2048, 2048, 1024, 10),
        1024,
        steps=3,
        epochs=3,
    ),
    "cnn": Workload(
        "CNN 28x28x1: conv32-pool-conv64-pool-dense10, batch 64",
        (28, 28, 1),
        CONVOLUTIONAL,
        64,
        steps=30,
        epochs=4,
    ),
    "lstm": Workload("LSTM 128 on 50x64, batch 32", (50, 64), RECURRENT, 32, 30),
    "transformer": Workload(
        "2 transformer blocks d128 h4 ff512, 64 tokens, batch 32",
        (64, 128),
        TRANSFORMER,
        32,
        steps=10,
        epochs=4,
    ),
    "predict": Workload(
        "predict on one sample, MLP 784-512-512-10",
        (784,),
        mlp(512, 512, 10),
        1,
        steps=50,
        epochs=10,
        task="predict",
    ),
    "start": Workload(
        "process start to first trained batch, MLP 784-64-10",
        (784,),
        mlp(64, 10),
        32,
        steps=1,
        task="start",
    ),
}
DEPTH = {
    f"depth-{depth}": Workload(
        f"{depth} layers", (32,), mlp(*[32] * depth, 10), 32, max(5, 1000 // depth), 3
    )
    for depth in (10, 100, 1000)
}
BATCH = {
    f"batch-{batch}": Workload(
        f"batch {batch}", (784,), mlp(64, 10), batch, max(10, 2000 // batch)
    )
    for batch in (1, 4, 16, 64, 256, 1024, 4096)
}
WORKLOADS = TABLE | DEPTH | BATCH
