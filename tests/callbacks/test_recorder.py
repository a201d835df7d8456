"""`History.fingerprint` and `RunRecorder`: equal for equal runs, for no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minikeras as keras
from minikeras.callbacks.recorder import digests, read_run


def trained(seed: int = 1, rate: float = 0.01, nudge: float = 0.0, **how: Any) -> Any:
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((4,)), layers.Dense(6, "tanh"), layers.Dropout(0.3)]
    )
    model.add(layers.BatchNormalization())
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 4), "float32"), rng.random((32, 1), "float32")
    x[17, 2] += nudge
    given = {"epochs": 2, "batch_size": 8, "verbose": 0, "validation_split": 0.25}
    return model.fit(x, y, **(given | how))


def test_the_same_run_has_the_same_fingerprint() -> None:
    one, two = trained().fingerprint, trained().fingerprint
    assert one == two
    assert len(one) == 32
    assert int(one, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"rate": np.nextafter(np.float32(0.01), np.float32(1)).item()},
        {"nudge": 1e-6},
        {"epochs": 3},
        {"shuffle": False},
        {"batch_size": 9},
        {"validation_split": 0.2},
    ],
    ids=str,
)
def test_any_difference_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert trained(**change).fingerprint != trained().fingerprint


def test_a_fingerprint_is_of_the_model_after_fit() -> None:
    history = trained()
    model = history.model
    first = history.fingerprint
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    later = model.fit(x, y, verbose=0)
    assert history.fingerprint == first  # kept
    assert later.fingerprint != first
    unasked = model.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)
    with pytest.raises(RuntimeError, match="trained since"):
        _ = unasked.fingerprint
    with pytest.raises(RuntimeError, match="never"):
        _ = keras.callbacks.History().fingerprint


def test_a_recorder_changes_nothing_in_the_run(tmp_path: Path) -> None:
    recorder = keras.callbacks.RunRecorder(tmp_path / "run.jsonl")
    assert trained(callbacks=[recorder]).fingerprint == trained().fingerprint


def test_records_have_each_step_and_epoch(tmp_path: Path) -> None:
    recorder = keras.callbacks.RunRecorder(tmp_path / "run.jsonl")
    history = trained(callbacks=[recorder])
    tensors, records = read_run(tmp_path / "run.jsonl")
    epoch = [("step", 0), ("step", 1), ("step", 2), ("epoch", None)]
    assert [(x["kind"], x["batch"]) for x in records] == [("start", 0), *epoch, *epoch]
    last = records[-1]
    assert last["step"] == 6
    assert last["logs"] == {name: x[-1] for name, x in history.history.items()}
    model = history.model
    variables = [*model.variables, *model.optimizer.variables]
    assert last["hashes"] == digests(variables)
    assert [x["name"] for x in tensors] == [x.path for x in variables]


def test_a_recorder_can_leave_steps_out(tmp_path: Path) -> None:
    trained(callbacks=[keras.callbacks.RunRecorder(tmp_path / "run.jsonl", every=2)])
    _, records = read_run(tmp_path / "run.jsonl")
    steps = [(x["kind"], x["step"]) for x in records]
    assert steps == [
        ("start", 0), ("step", 2), ("epoch", 3), ("step", 4), ("step", 6), ("epoch", 6)
    ]  # fmt: skip
    with pytest.raises(ValueError, match="every=0"):
        keras.callbacks.RunRecorder(tmp_path / "run.jsonl", every=0)


def test_a_hash_is_of_every_bit_and_of_the_form() -> None:
    values = [
        np.zeros(2, "float32"),
        np.array([0, -0.0], "float32"),
        np.array([0, 1e-45], "float32"),
        np.zeros((1, 2), "float32"),
        np.zeros(1, "float64"),
        np.zeros(2, "int32"),
    ]
    found = digests([keras.Variable(x, dtype=str(x.dtype)) for x in values])
    assert len({*found}) == len(values)
    assert found == digests([keras.Variable(x, dtype=str(x.dtype)) for x in values])


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    head = {"minikeras_run": 1, "tensors": []}
    path.write_text(json.dumps(head) + '\n{"kind": "start"}\n{"kind": "st')
    assert read_run(path) == ([], [{"kind": "start"}])
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="RunRecorder"):
        read_run(path)
