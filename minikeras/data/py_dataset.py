"""`PyDataset`: batches that a user's class makes one by one, or ahead of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count, islice
from typing import Any

__all__ = ["PyDataset"]


class PyDataset:
    """Base of data sets whose batches are found by their numbers.

    A subclass defines ``__getitem__(index)``, which returns a batch, and ``__len__``,
    or else `num_batches`. Batches come in the order of their numbers.

    Args:
        workers: how many batches are made at a time, in threads; 1 makes each when it
            is needed.
        use_multiprocessing: accepted; batches are made in threads.
        max_queue_size: how many batches the workers make ahead at most.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> list(Squares(workers=2))
        [0, 1, 4]
    """

    def __init__(
        self,
        workers: int = 1,
        use_multiprocessing: bool = False,
        max_queue_size: int = 10,
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return the batch of this number."""
        raise NotImplementedError(f"{type(self).__name__} has no `__getitem__`")

    @property
    def num_batches(self) -> int | None:
        """Batches per pass; None if there is no end to them."""
        if not hasattr(self, "__len__"):
            raise NotImplementedError(
                f"{type(self).__name__} defines neither `__len__` nor `num_batches`: "
                "how many batches does it have?"
            )
        return len(self)  # type: ignore[arg-type]

    def on_epoch_begin(self) -> None:
        """Act before each pass."""

    def on_epoch_end(self) -> None:
        """Act after each pass."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of a pass; without end if nobody says how many they are."""
        size = None
        with suppress(NotImplementedError):
            size = self.num_batches
        numbers = count() if size is None else range(size)
        self.on_epoch_begin()
        # A class of before Keras 3 need not call `super().__init__()`.
        if getattr(self, "workers", 1) > 1:
            yield from self._made_ahead(numbers)
        else:
            yield from map(self.__getitem__, numbers)
        self.on_epoch_end()

    def _made_ahead(self, numbers: Iterable[int]) -> Iterator[Any]:
        """Yield batches in order, while threads make those that come next."""
        rest = iter(numbers)
        with ThreadPoolExecutor(self.workers) as pool:
            ahead: deque[Future[Any]] = deque()
            try:
                while True:
                    free = max(self.max_queue_size, 1) - len(ahead)
                    ahead += [
                        pool.submit(self.__getitem__, n) for n in islice(rest, free)
                    ]
                    if not ahead:
                        return
                    yield ahead.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
