"""Weights in ``.safetensors`` files: written for others, and read from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import numpy as safetensors
from safetensors import safe_open

from minikeras import Input, Model, Sequential, layers
from minikeras.saving import CorruptFileError

X = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")


def made(units: int = 4, dtype: str = "float32") -> Model:
    return Sequential(
        [
            Input((5,)),
            layers.Dense(6, dtype=dtype),
            layers.BatchNormalization(),
            layers.Dense(units, name="head"),
            layers.Dropout(0.1),
        ]
    )


def test_weights_come_back_in_another_model_of_the_same_build(tmp_path: Path) -> None:
    first, second = made(), made()
    first.save_weights(tmp_path / "w.safetensors")
    second.load_weights(tmp_path / "w.safetensors")
    np.testing.assert_array_equal(second(X), first(X))


def test_other_programs_find_paths_and_shapes(tmp_path: Path) -> None:
    model = made()
    model.save_weights(tmp_path / "w.safetensors")
    found = safetensors.load_file(tmp_path / "w.safetensors")
    assert {name: value.shape for name, value in found.items()} == {
        "dense/kernel": (5, 6),
        "dense/bias": (6,),
        "batch_normalization/gamma": (6,),
        "batch_normalization/beta": (6,),
        "batch_normalization/moving_mean": (6,),
        "batch_normalization/moving_variance": (6,),
        "head/kernel": (6, 4),
        "head/bias": (4,),
    }
    np.testing.assert_array_equal(found["dense/kernel"], model.weights[0])
    with safe_open(tmp_path / "w.safetensors", "np") as file:
        assert file.metadata()["format"] == "np"


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_kinds_of_numbers_are_kept(dtype: str, tmp_path: Path) -> None:
    first, second = made(dtype=dtype), made(dtype=dtype)
    first.save_weights(tmp_path / "w.safetensors")
    second.load_weights(tmp_path / "w.safetensors")
    kernel = np.asarray(second.weights[0])
    assert str(kernel.dtype) == dtype
    np.testing.assert_array_equal(kernel, np.asarray(first.weights[0]))


def test_what_does_not_fit_is_listed_and_nothing_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    made().save_weights(path)
    arrays = safetensors.load_file(path)
    del arrays["dense/bias"]
    safetensors.save_file({**arrays, "more": np.ones(1)}, path)
    model = made(2)
    before = model.get_weights()
    with pytest.raises(ValueError, match="does not fit the model") as raised:
        model.load_weights(path)
    assert str(raised.value).splitlines()[1:] == [
        "missing: dense/bias",
        "shape: head/kernel is (6, 2), in the file (6, 4)",
        "shape: head/bias is (2,), in the file (4,)",
        "unexpected: more",
    ]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_what_does_not_fit_may_be_passed_over(tmp_path: Path) -> None:
    path, source, model = tmp_path / "w.safetensors", made(), made(2)
    source.save_weights(path)
    with pytest.warns(UserWarning, match="shape: head/kernel"):
        model.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(model.weights[0], source.weights[0])


def test_files_of_other_programs_are_read_by_their_names(tmp_path: Path) -> None:
    w, b = np.ones((2, 5), "float32"), np.full(2, 3, "float32")
    path = tmp_path / "torch.safetensors"
    safetensors.save_file({"fc.weight": w, "fc.bias": b}, path)
    model = Sequential([Input((5,)), layers.Dense(2, name="fc")])
    model.load_weights(
        path,
        names={"fc/kernel": ("fc.weight", np.transpose), "fc/bias": "fc.bias"},
    )
    np.testing.assert_allclose(model(X), X @ w.T + b, rtol=1e-6)

    def torch_name(name: str) -> Any:
        layer, kind = name.split("/")
        return (
            (f"{layer}.weight", np.transpose) if kind == "kernel" else f"{layer}.bias"
        )

    model.set_weights([np.zeros((5, 2)), np.zeros(2)])
    model.load_weights(path, names=torch_name)
    np.testing.assert_allclose(model(X), X @ w.T + b, rtol=1e-6)


def test_two_weights_of_one_name_are_refused(tmp_path: Path) -> None:
    class Twice(Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = layers.Dense(2, name="same")
            self.second = layers.Dense(2, name="same")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    model = Twice()
    model(X)
    with pytest.raises(ValueError, match="Two weights of 'twice' have the path"):
        model.save_weights(tmp_path / "w.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_model_must_be_built(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not yet been built"):
        Sequential([layers.Dense(2)]).save_weights(tmp_path / "w.safetensors")


def test_a_broken_file_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    made().save_weights(path)
    data = path.read_bytes()
    for size in (0, 4, 8, 50, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(CorruptFileError, match="no file of safetensors"):
            made().load_weights(path)
    path.write_bytes(b"\xff" * 8 + data[8:])  # a header of so many bytes
    with pytest.raises(CorruptFileError):
        made().load_weights(path)


def test_a_file_that_is_there_is_replaced_only_if_one_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"old")
    monkeypatch.setattr("builtins.input", lambda text: "n")
    made().save_weights(path, overwrite=False)
    assert path.read_bytes() == b"old"
