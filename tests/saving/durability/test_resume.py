"""Training goes on bit for bit, wherever it was interrupted and whatever the data."""

from __future__ import annotations

import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from minikeras.callbacks import Callback
from tests.saving.durability import killing, training


class Stop(Callback):
    """Interrupts training after so many batches."""

    def __init__(self, until: int) -> None:
        self.left = until

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@cache
def uninterrupted(name: str) -> tuple[str, Any]:
    """Return what comes of a training, and its losses: it is the same every time."""
    with tempfile.TemporaryDirectory() as folder:
        return training.train(name, Path(folder), "epoch"), training.losses(
            Path(folder)
        )


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize(
    ("save_freq", "until"),
    [
        (1, 9),
        *(
            pytest.param(*how, marks=pytest.mark.slow)
            for how in (("epoch", 14), (1, 3), (4, 14), (5, 17))
        ),
    ],
)
@pytest.mark.parametrize("name", training.CASES)
def test_training_resumes(
    name: str, save_freq: Any, until: int, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    want, losses = uninterrupted(name)
    with pytest.raises(KeyboardInterrupt):
        training.train(name, parts, save_freq, Stop(min(until, 11)))
    assert (parts / "backup").exists() or until < 4
    assert training.train(name, parts, save_freq) == want
    assert training.losses(parts) == losses


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", training.CASES)
def test_training_that_is_killed_resumes(name: str, tmp_path: Path) -> None:
    rng, want = random.Random(name), killing.whole(name, tmp_path / "whole")
    for number, save_freq in enumerate(("epoch", 1, 5)):
        folder = tmp_path / str(number)
        found = killing.killed_in_training(name, folder, save_freq, rng, want=want)
        assert all(found.values()), found


@pytest.mark.slow
@pytest.mark.parametrize("name", killing.WRITERS)
def test_files_survive_a_kill(name: str, tmp_path: Path) -> None:
    found = killing.killed_while_saving(name, tmp_path, 30)
    assert not found["broken"]
    assert found[1.0] + found[2.0] == 30
