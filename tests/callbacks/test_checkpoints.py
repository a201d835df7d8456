"""ModelCheckpoint and BackupAndRestore: what is in files, and that training goes on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers
from minikeras.callbacks import BackupAndRestore, Callback, ModelCheckpoint
from minikeras.models import Sequential, load_model

ROWS = np.random.default_rng(0).standard_normal((50, 5)).astype("float32")
PER_EPOCH, EPOCHS = 4, 4


class Losses(Callback):
    """Notes the losses of batches; raises an error after so many of them."""

    def __init__(self, until: int | None = None) -> None:
        self.values: list[float] = []
        self.until = until

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.values.append(logs["loss"])
        if len(self.values) == self.until:
            raise KeyboardInterrupt


def small() -> Sequential:
    K.clear_session()
    K.set_random_seed(7)
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(model: Sequential, *callbacks: Callback, epochs: int = EPOCHS) -> Any:
    return model.fit(
        ROWS,
        ROWS[:, :1],
        batch_size=10,
        epochs=epochs,
        validation_split=0.2,
        callbacks=list(callbacks),
        verbose=0,
    )


# -- BackupAndRestore ------------------------------------------------------------------


@pytest.mark.parametrize("save_freq", ["epoch", 1, 3])
@pytest.mark.parametrize("killed_after", [1, 4, 5, 8, 14])
def test_training_resumes_bit_for_bit(
    save_freq: Any, killed_after: int, tmp_path: Path
) -> None:
    whole, first, second = Losses(), Losses(killed_after), Losses()
    want = small()
    history = fit(want, whole).history
    folder = tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        fit(small(), BackupAndRestore(folder, save_freq), first)
    model = small()
    K.set_random_seed(1)
    model.set_weights([w * 0 + 1 for w in model.get_weights()])
    if not folder.exists():
        assert killed_after <= (PER_EPOCH if save_freq == "epoch" else save_freq)
        return
    resumed = fit(model, BackupAndRestore(folder, save_freq), second).history
    redone = len(first.values) + len(second.values) - len(whole.values)
    assert 0 <= redone <= (PER_EPOCH if save_freq == "epoch" else save_freq)
    assert second.values == whole.values[-len(second.values) :]
    for name, values in resumed.items():
        assert values == history[name][-len(values) :], name
    for a, b in zip(want.get_weights(), model.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert not folder.exists()


def test_a_broken_backup_falls_back_to_the_one_before(tmp_path: Path) -> None:
    whole, second = Losses(), Losses()
    fit(small(), whole)

    def backup() -> BackupAndRestore:
        return BackupAndRestore(tmp_path, double_checkpoint=True)

    with pytest.raises(KeyboardInterrupt):
        fit(small(), backup(), Losses(13))
    latest = tmp_path / "latest.weights.h5"
    latest.write_bytes(latest.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="The backup before the last is used"):
        fit(small(), backup(), second)
    assert second.values == whole.values[2 * PER_EPOCH :]


def test_a_broken_backup_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "latest.weights.h5").write_bytes(b"")
    with pytest.raises(OSError, match="not a readable HDF5 file"):
        fit(small(), BackupAndRestore(tmp_path))


def test_the_backup_may_stay(tmp_path: Path) -> None:
    fit(small(), BackupAndRestore(tmp_path, delete_checkpoint=False), epochs=2)
    model, losses = small(), Losses()
    fit(model, BackupAndRestore(tmp_path), losses, epochs=3)
    assert len(losses.values) == PER_EPOCH
    assert int(model.optimizer.iterations) == 3 * PER_EPOCH


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("",), "Empty `backup_dir`"), (("x", "batch"), "Invalid value for argument")],
)
def test_arguments_of_backups_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BackupAndRestore(*arguments)


# -- ModelCheckpoint -------------------------------------------------------------------


def test_every_epoch_has_its_file(tmp_path: Path) -> None:
    model = small()
    history = fit(
        model, ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{val_loss:.3f}.keras")
    )
    losses = history.history["val_loss"]
    want = [f"{i + 1:02d}-{loss:.3f}.keras" for i, loss in enumerate(losses)]
    assert sorted(os.listdir(tmp_path / "new")) == want
    last = load_model(tmp_path / "new" / want[-1])
    for a, b in zip(model.get_weights(), last.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    assert int(last.optimizer.iterations) == EPOCHS * PER_EPOCH


@pytest.mark.parametrize(("save_freq", "count"), [(1, 16), (3, 5), (4, 4), (7, 2)])
def test_batches_are_counted_over_epochs(
    save_freq: int, count: int, tmp_path: Path
) -> None:
    path = tmp_path / "{epoch}-{batch}.weights.h5"
    fit(small(), ModelCheckpoint(path, save_weights_only=True, save_freq=save_freq))
    assert len(os.listdir(tmp_path)) == count
    number = save_freq - 1
    first = f"{number // PER_EPOCH + 1}-{number % PER_EPOCH + 1}.weights.h5"
    assert first in os.listdir(tmp_path)


def test_the_best_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = small()
    path = str(tmp_path / "best.weights.h5")
    best = ModelCheckpoint(
        path, "metric", 1, True, True, "max", initial_value_threshold=0.5
    )
    best.set_model(model)
    for epoch, value in enumerate((0.4, 0.7, 0.6, 0.8)):
        model.layers[0].bias.assign(np.full(8, value, "float32"))
        best.on_epoch_begin(epoch)
        best.on_epoch_end(epoch, {"metric": value})
    said = capsys.readouterr().out.strip().splitlines()
    assert [line for line in said if line] == [
        "Epoch 1: metric did not improve from 0.50000",
        f"Epoch 2: metric improved from 0.50000 to 0.70000, saving model to {path}",
        f"Epoch 2: finished saving model to {path}",
        "Epoch 3: metric did not improve from 0.70000",
        f"Epoch 4: metric improved from 0.70000 to 0.80000, saving model to {path}",
        f"Epoch 4: finished saving model to {path}",
    ]
    model.layers[0].bias.assign(np.zeros(8))
    model.load_weights(path)
    np.testing.assert_allclose(model.layers[0].bias.numpy(), 0.8)


def test_what_cannot_be_compared_is_saved(tmp_path: Path) -> None:
    path = str(tmp_path / "m.keras")
    for logs, message in (
        ({}, "Can save best model only with acc available"),
        ({"acc": np.zeros(2)}, "only when `monitor` is a scalar"),
    ):
        saving = ModelCheckpoint(path, "acc", save_best_only=True, mode="max")
        saving.set_model(small())
        with pytest.warns(UserWarning, match=message):
            saving.on_epoch_end(0, logs)
        assert os.path.exists(path)
        os.remove(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "m.txt"}, "must end in `.keras`"),
        ({"filepath": "m.keras", "save_weights_only": True}, "end in `.weights.h5`"),
        (
            {"filepath": "m.keras", "save_freq": "batch"},
            "Unrecognized save_freq: batch",
        ),
    ],
)
def test_arguments_of_checkpoints_are_checked(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**arguments)


def test_names_in_a_path_must_be_in_the_logs(tmp_path: Path) -> None:
    saving = ModelCheckpoint(tmp_path / "{acc}.keras")
    saving.set_model(small())
    with pytest.raises(KeyError, match="Failed to format this callback filepath"):
        saving.on_epoch_end(0, {"loss": 1.0})


def test_a_folder_is_no_place_for_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "m.keras").mkdir()
    saving = ModelCheckpoint(tmp_path / "m.keras")
    saving.set_model(small())
    with pytest.raises(OSError, match="Please specify a non-directory filepath"):
        saving.on_epoch_end(0, {})
