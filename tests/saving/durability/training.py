"""Trainings that are interrupted, and must go on as if they had not been."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras import callbacks, layers, optimizers
from minikeras.data import PyDataset
from minikeras.models import Sequential

ROWS, WIDTH, BATCH, EPOCHS = 60, 5, 10, 4
PER_EPOCH = ROWS // BATCH
X = np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype("float32")
Y = X[:, :1] ** 2


class Losses(callbacks.Callback):
    """Writes each batch's loss, to the last bit, at once to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        with open(self.path, "a") as file:
            file.write(f"{self.epoch} {batch} {float(logs['loss']).hex()}\n")


class Shuffled(PyDataset):
    """Batches whose order changes after each epoch, by a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(3)
        self.order = np.arange(ROWS)

    def __len__(self) -> int:
        return PER_EPOCH

    def __getitem__(self, index: int) -> Any:
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.rng.shuffle(self.order)


def endless() -> Iterator[Any]:
    """Batches without end, drawn from a generator of its own."""
    rng = np.random.default_rng(4)
    while True:
        rows = rng.integers(0, ROWS, BATCH)
        yield X[rows], Y[rows]


def dense(policy: str = "float32") -> list[Any]:
    return [
        layers.Dense(8, activation="relu", dtype=policy),
        layers.Dropout(0.3, dtype=policy),
        layers.BatchNormalization(dtype=policy),
        layers.Dense(1, dtype=policy),
    ]


def recurrent() -> list[Any]:
    return [layers.Reshape((WIDTH, 1)), layers.LSTM(4), layers.Dense(1)]


def convolving() -> list[Any]:
    return [
        layers.Reshape((WIDTH, 1)),
        layers.Conv1D(4, 3, activation="relu"),
        layers.SpatialDropout1D(0.2),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1),
    ]


Fit = Callable[[Any, list[Any]], Any]
HELD_OUT = {"validation_data": (X[:20], Y[:20]), "epochs": EPOCHS, "verbose": 0}


def of_arrays(**how: Any) -> Fit:
    how = {"batch_size": BATCH, **HELD_OUT, **how}
    return lambda model, hooks: model.fit(X, Y, callbacks=hooks, **how)


def of_stream(make: Callable[[], Any], **how: Any) -> Fit:
    return lambda model, hooks: model.fit(make(), callbacks=hooks, **HELD_OUT, **how)


def held_out_stream(model: Any, hooks: list[Any]) -> Any:
    return model.fit(
        endless(),
        steps_per_epoch=PER_EPOCH,
        validation_data=endless(),
        validation_steps=2,
        epochs=EPOCHS,
        callbacks=hooks,
        verbose=0,
    )


def scaled() -> Any:
    """An optimizer whose scale changes every few steps."""
    return optimizers.LossScaleOptimizer(
        optimizers.Adam(0.01), initial_scale=2.0**18, dynamic_growth_steps=3
    )


def decayed() -> Any:
    schedule = optimizers.schedules.ExponentialDecay(0.05, 5, 0.9)
    return optimizers.SGD(schedule, momentum=0.9, use_ema=True)


def adam() -> Any:
    return optimizers.Adam(0.01)


Case = tuple[Callable[[], list[Any]], Callable[[], Any], Fit]
CASES: dict[str, Case] = {
    "arrays": (dense, adam, of_arrays(shuffle=True)),
    "batches shuffled": (dense, adam, of_arrays(shuffle="batch")),
    "sample weights": (dense, adam, of_arrays(sample_weight=np.arange(ROWS) / ROWS)),
    "fewer steps": (dense, adam, of_arrays(steps_per_epoch=PER_EPOCH - 2)),
    "steps together": (dense, decayed, of_arrays()),
    "PyDataset": (dense, adam, of_stream(Shuffled)),
    "PyDataset in parts": (dense, adam, of_stream(Shuffled, steps_per_epoch=4)),
    "generator": (dense, adam, of_stream(endless, steps_per_epoch=PER_EPOCH)),
    "held-out generator": (dense, adam, held_out_stream),
    "mixed precision": (lambda: dense("mixed_float16"), scaled, of_arrays()),
    "recurrent": (recurrent, adam, of_arrays()),
    "convolutions": (convolving, decayed, of_arrays()),
}


def made(name: str) -> Any:
    """Return the model of a case, compiled, the same every time."""
    stack, optimizer, _ = CASES[name]
    K.clear_session()
    K.set_random_seed(7)
    model = Sequential([layers.Input((WIDTH,)), *stack()])
    steps = 2 if name == "steps together" else 1
    model.compile(optimizer(), "mse", metrics=["mae"], steps_per_execution=steps)
    return model


def train(name: str, folder: Path, save_freq: Any, *more: Any, **how: Any) -> str:
    """Train, going on from the backup in a folder; return a hash of what came of it."""
    model = made(name)
    hooks = [
        Losses(folder / "losses.txt"),
        callbacks.BackupAndRestore(folder / "backup", save_freq, **how),
        *more,
    ]
    history = CASES[name][2](model, hooks).history
    state = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    last = {name: float(values[-1]).hex() for name, values in sorted(history.items())}
    digest = hashlib.sha256(repr(last).encode())
    for value in state:
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def losses(folder: Path) -> dict[tuple[int, int], set[str]]:
    """Return the losses of each batch that were seen: one, if all is well."""
    seen: dict[tuple[int, int], set[str]] = {}
    for line in (folder / "losses.txt").read_text().splitlines():
        if line.count(" ") == 2:
            epoch, batch, loss = line.split()
            seen.setdefault((int(epoch), int(batch)), set()).add(loss)
    return seen


def rows(path: Path) -> list[list[str]]:
    """Return the rows of a log, its header first."""
    with open(path, newline="") as file:
        return list(csv.reader(file))
