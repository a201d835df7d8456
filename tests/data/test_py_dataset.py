"""`PyDataset`: batches by number, in order, whoever makes them."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras.utils import PyDataset


class Numbers(PyDataset):
    """Batches whose rows are all the number of the batch."""

    def __init__(self, size: int | None, **how: Any) -> None:
        super().__init__(**how)
        self.size, self.hooks = size, ""

    @property
    def num_batches(self) -> int | None:
        return self.size

    def on_epoch_begin(self) -> None:
        self.hooks += "b"

    def on_epoch_end(self) -> None:
        self.hooks += "e"

    def __getitem__(self, index: int) -> Any:
        return np.full((4, 2), index, "float32"), np.full((4, 1), index, "float32")


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_come_in_order_in_every_pass(workers: int) -> None:
    data = Numbers(7, workers=workers, max_queue_size=2)
    for _ in range(2):
        assert [y[0, 0] for _, y in data] == list(range(7))
    assert data.hooks == "bebe"


@pytest.mark.parametrize("workers", [1, 3])
def test_there_may_be_no_end(workers: int) -> None:
    found = [y[0, 0] for _, y in islice(Numbers(None, workers=workers), 5)]
    assert found == list(range(5))


def test_a_model_trains_on_it() -> None:
    model = minikeras.Sequential([minikeras.Input((2,)), minikeras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = Numbers(3, workers=2)
    model.fit(data, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6
    model.fit(Numbers(None), steps_per_epoch=4, verbose=0)
    assert int(model.optimizer.iterations) == 10
    assert model.predict(data, verbose=0).shape == (12, 1)


def test_without_a_size_it_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="neither `__len__` nor"):
        PyDataset().num_batches  # noqa: B018 - a property


def test_without_a_size_it_has_no_end() -> None:
    class Odd(PyDataset):
        def __getitem__(self, index):
            return 2 * index + 1

    assert list(islice(Odd(), 4)) == [1, 3, 5, 7]
