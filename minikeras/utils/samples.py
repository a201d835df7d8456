"""Samples that are made when they are needed, in batches: what data functions return.

In Keras these functions return a ``tf.data.Dataset``, or one of Grain's. Here they
return a `Samples`, which is a `PyDataset` and needs neither: `fit`, `evaluate` and
`predict` take it, a loop goes over it as often as it likes, and ``format="grain"``
makes Grain's out of it.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.data.py_dataset import PyDataset
from minikeras.utils.extras import required

__all__ = ["Samples", "check_format", "drawn_seed", "in_format"]

# From the numbers of samples to a batch of them.
Take = Callable[[np.ndarray[Any, Any]], Any]


class Samples(PyDataset):
    """Samples that are found by their numbers, in batches.

    Each pass over them, a loop or an epoch, is a pass over all. Batches are arrays of
    NumPy. If `shuffle` is on, each pass has an order of its own, out of all possible
    ones (TensorFlow shuffles within a buffer of 8 batches); the same seed gives the
    same orders, pass by pass.

    Of the methods of a ``tf.data.Dataset`` there are `take`, `skip`, `map`, `prefetch`,
    `cardinality` and `as_numpy_iterator`.

    Args:
        size: how many samples there are.
        take: makes the batch of the samples with these numbers.
        batch_size: samples per batch; None yields them one by one.
        shuffle: whether each pass is in random order.
        seed: of these orders.
        workers: how many batches are made at a time, in threads.

    Attributes:
        class_names: names of the classes, None if there are none.
        file_paths: of the files that samples come from, None if they do not.

    Example:
        >>> squares = Samples(5, lambda numbers: numbers**2, batch_size=2)
        >>> len(squares), list(squares)
        (3, [array([0, 1]), array([4, 9]), array([16])])
    """

    def __init__(
        self,
        size: int,
        take: Take,
        batch_size: int | None = None,
        shuffle: bool = False,
        seed: int | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__(workers=workers)
        self.size = size
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = drawn_seed(seed) if shuffle else seed
        self.class_names: list[str] | None = None
        self.file_paths: list[str] | None = None
        self._take = take
        self._order = np.arange(size)
        self._window = range(-(-size // (batch_size or 1)))
        self._passes = count()
        self._finish: Callable[[Any], Any] | None = None

    def __len__(self) -> int:
        """Return the number of batches in a pass."""
        return len(self._window)

    def __getitem__(self, index: int) -> Any:
        """Return a batch of this pass.

        Raises:
            IndexError: if there are fewer.
        """
        size = self.batch_size or 1
        first = self._window[index] * size
        batch = self._take(self._order[first : first + size])
        batch = batch if self.batch_size else K.tree.map_structure(_only, batch)
        return self._finish(batch) if self._finish else batch

    def sample(self, number: int) -> Any:
        """Return one sample."""
        return K.tree.map_structure(_only, self._take(np.array([number])))

    def on_epoch_begin(self) -> None:
        """Bring the samples into the order of the next pass."""
        if self.shuffle:
            rng = np.random.default_rng([self.seed or 0, next(self._passes)])
            self._order = rng.permutation(self.size)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of a pass, which no other pass disturbs."""
        return PyDataset.__iter__(self._with())

    def _with(self, **changes: Any) -> Samples:
        """Return the same samples, of which something is otherwise."""
        other = copy.copy(self)
        vars(other).update(changes)
        return other

    def take(self, count: int) -> Samples:
        """Return the first `count` batches of each pass; all for -1."""
        return self._with(_window=self._window[: count if count >= 0 else None])

    def skip(self, count: int) -> Samples:
        """Return all batches of each pass but the first `count`; none for -1."""
        return self._with(_window=self._window[count if count >= 0 else len(self) :])

    def map(self, map_func: Callable[..., Any], **_: Any) -> Samples:
        """Return the same batches, each passed through a function.

        Args:
            map_func: takes a batch ``(x, y)`` as two arguments.
        """
        before = self._finish

        def finish(batch: Any) -> Any:
            batch = before(batch) if before else batch
            return map_func(*batch) if isinstance(batch, tuple) else map_func(batch)

        return self._with(_finish=finish)

    def prefetch(self, buffer_size: int = -1) -> Samples:
        """Return the samples, with batches made ahead, in threads.

        Args:
            buffer_size: how many at most; -1 leaves that to the machine.
        """
        ahead = buffer_size if buffer_size > 0 else self.max_queue_size
        return self._with(workers=max(self.workers, loaders()), max_queue_size=ahead)

    def cardinality(self) -> int:
        """Return the number of batches in a pass, as `len` does."""
        return len(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return what a loop goes over."""
        return iter(self)


def _only(batch: Any) -> Any:
    return batch[0]


def loaders() -> int:
    """Return how many threads may well read files at a time."""
    return min(8, os.cpu_count() or 1)


def drawn_seed(seed: int | None) -> int:
    """Return a seed, by default one that follows from the global one."""
    if seed is not None:
        return seed
    key: Any = K.eval(K.draw_seed(None))
    return int(np.random.default_rng(key).integers(1_000_000))


def check_format(format: str) -> None:
    """Refuse a format that is none.

    Raises:
        ValueError: if it is neither "tf" nor "grain".
    """
    if format not in ("tf", "grain"):
        raise ValueError(
            f'`format` should be either "tf" or "grain". Received: format={format}'
        )


def in_format(samples: Samples, format: str) -> Any:
    """Return samples, for "grain" as Grain's ``IterDataset``.

    Raises:
        ImportError: if Grain is wanted and not installed.
    """
    if format == "tf":
        return samples
    grain = required("grain", "grain", '`format="grain"`')
    dataset = grain.MapDataset.source(range(samples.size))
    if samples.shuffle:
        dataset = dataset.shuffle(seed=samples.seed)
    dataset = dataset.map(samples.sample)
    dataset = dataset.to_iter_dataset()
    if samples.batch_size:
        dataset = dataset.batch(samples.batch_size, batch_fn=_stacked)
    dataset.class_names = samples.class_names
    dataset.file_paths = samples.file_paths
    return dataset


def _stacked(values: Sequence[Any]) -> Any:
    """Return a batch of samples; strings as a list, as Keras has it with Grain."""
    return K.tree.map_structure(_together, *values)


def _together(*leaves: Any) -> Any:
    return leaves if isinstance(leaves[0], str) else np.stack(leaves)
