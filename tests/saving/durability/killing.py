"""Processes that are killed at a random moment, and what they leave behind."""

from __future__ import annotations

import os
import pickle
import random
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minikeras import callbacks, layers, saving
from minikeras.models import Sequential
from tests.saving.durability import training

SIZE = 200
Ready = Callable[[], None]


def in_child(work: Callable[[Ready], Any], kill_after: float | None = None) -> Any:
    """Do work in a process of its own; return what it does, None if it was killed.

    Args:
        work: is given a function, to be called when the killing may begin.
        kill_after: seconds from then until the process is killed.
    """
    out, into = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX's, if a test before has imported it
        child = os.fork()
    if not child:
        os.close(out)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        code = 1
        try:
            result = work(lambda: os.write(into, b"!") and None)
            os.write(into, b"=" + pickle.dumps(result))
            code = 0
        finally:
            os._exit(code)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        if kill_after is not None and file.read(1) == b"!":
            time.sleep(kill_after)
            os.kill(child, signal.SIGKILL)
        said = file.read().lstrip(b"!")
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 1:
        raise RuntimeError(f"the process ended with an error: {said!r}")
    return pickle.loads(said[1:]) if code == 0 else None


# -- files of models -------------------------------------------------------------------


def model_of(value: float) -> Any:
    stack = [layers.Input((SIZE,)), layers.Dense(SIZE), layers.Dense(SIZE)]
    model = Sequential(stack)
    model.set_weights([np.full(w.shape, value, "float32") for w in model.weights])
    return model


Save = Callable[[Any, Path], Any]
Load = Callable[[Path], Any]


def loaded_weights(path: Path) -> Any:
    model = model_of(0.0)
    model.load_weights(path)
    return model


WRITERS: dict[str, tuple[str, Save, Load]] = {
    ".keras": ("m.keras", lambda m, p: m.save(p), saving.load_model),
    ".h5": ("m.h5", lambda m, p: m.save(p), saving.load_model),
    ".weights.h5": ("m.weights.h5", lambda m, p: m.save_weights(p), loaded_weights),
    "folder": ("m", lambda m, p: m.save(p, zipped=False), saving.load_model),
    "shards": (
        "m.weights.json",
        lambda m, p: m.save_weights(p, max_shard_size=170_000 / 2**30),
        loaded_weights,
    ),
}


def saving_over_and_over(name: str, folder: Path, ready: Ready) -> None:
    """Save two models in turn, the first one before anybody is killed."""
    path, save, _ = WRITERS[name]
    one, two = model_of(1.0), model_of(2.0)
    save(one, folder / path)
    ready()
    while True:
        save(two, folder / path)
        save(one, folder / path)


def value_in(name: str, folder: Path) -> float:
    """Return the value that all weights in a file have.

    Raises:
        ValueError: if they have several.
    """
    path, _, load = WRITERS[name]
    found = {float(v) for w in load(folder / path).get_weights() for v in np.unique(w)}
    if len(found) != 1:
        raise ValueError(f"weights of several models: {found}")
    return found.pop()


def killed_while_saving(name: str, folder: Path, trials: int, seed: int = 0) -> Any:
    """Return how often the old file was found, the new one, and a broken one."""
    rng, found = random.Random(seed), {1.0: 0, 2.0: 0, "broken": 0}
    in_child(lambda ready: saving_over_and_over(name, folder, ready), 0.3)
    for _ in range(trials):
        work = lambda ready: saving_over_and_over(name, folder, ready)  # noqa: E731
        in_child(work, rng.uniform(0, 0.06))
        try:
            found[in_child(lambda ready: value_in(name, folder))] += 1
        except RuntimeError:
            found["broken"] += 1
    return found


# -- training --------------------------------------------------------------------------


class Whole(NamedTuple):
    """A training that nobody kills.

    Attributes:
        end: a hash of what came of it.
        losses: of each batch.
        window: seconds it takes.
    """

    end: str
    losses: dict[tuple[int, int], set[str]]
    window: float


def whole(name: str, folder: Path) -> Whole:
    """Train without a kill, and with all that is written besides."""
    start = time.perf_counter()
    end = in_child(lambda ready: train_and_tell(name, _fresh(folder), 1, ready))
    return Whole(end, training.losses(folder), time.perf_counter() - start)


def killed_in_training(
    name: str,
    folder: Path,
    save_freq: Any,
    rng: random.Random,
    kills: int = 2,
    want: Whole | None = None,
) -> dict[str, bool]:
    """Train with a few kills; return what was equal to a training without.

    The log and the checkpoint that are written besides must be whole each time.
    """
    want = want or whole(name, folder / "whole")
    folder = _fresh(folder / "killed")
    readable = True
    for _ in range(kills):
        work = lambda ready: train_and_tell(name, folder, save_freq, ready)  # noqa: E731
        if in_child(work, rng.uniform(0, want.window)) is not None:
            break
        readable &= readable_files(folder)
    found = in_child(lambda ready: train_and_tell(name, folder, save_freq, ready))
    return {
        "end": found == want.end,
        "losses": training.losses(folder) == want.losses,
        "files": readable,
    }


def _fresh(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def train_and_tell(name: str, folder: Path, save_freq: Any, ready: Ready) -> str:
    """Train, with a checkpoint and a log besides, and tell when it begins."""
    told = callbacks.LambdaCallback(on_train_begin=lambda logs: ready())
    checkpoint = callbacks.ModelCheckpoint(folder / "model.keras", save_freq=1)
    log = callbacks.CSVLogger(folder / "log.csv", append=True)
    return training.train(name, folder, save_freq, told, checkpoint, log)


def readable_files(folder: Path) -> bool:
    """Whether the checkpoint and the log that a killed training left are whole."""
    if (folder / "model.keras").exists():
        saving.load_model(folder / "model.keras")
    if not (folder / "log.csv").exists():
        return True
    table = training.rows(folder / "log.csv")
    return len({len(row) for row in table}) <= 1


def fell_back(folder: Path, number: int, rng: random.Random) -> bool:
    """Break the last of two backups; return whether training resumed from the first."""
    want = training.train("arrays", _fresh(folder / "whole"), "epoch")
    parts = _fresh(folder / "parts")
    stop = callbacks.LambdaCallback(on_epoch_end=_stop_after(3))
    keeping = {"double_checkpoint": True}
    try:
        training.train("arrays", parts, "epoch", stop, **keeping)
    except KeyboardInterrupt:
        latest = parts / "backup" / "latest.weights.h5"
        data = bytearray(latest.read_bytes())
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        latest.write_bytes(data if number % 2 else data[:place])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = training.train("arrays", parts, "epoch", **keeping)
    return found == want and training.losses(parts) == training.losses(folder / "whole")


def _stop_after(epochs: int) -> Callable[..., None]:
    def on_epoch_end(epoch: int, logs: Any) -> None:
        if epoch + 1 == epochs:
            raise KeyboardInterrupt

    return on_epoch_end
