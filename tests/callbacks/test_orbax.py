"""Checkpoints by Orbax go between Keras and minikeras; the tests run where it is."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

import minikeras
from minikeras.callbacks import OrbaxCheckpoint

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X.sum(1, keepdims=True)

needs_orbax = pytest.mark.usefixtures("_orbax")
pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")


@pytest.fixture
def _orbax():
    if not hasattr(pytest.importorskip("orbax.checkpoint"), "v1"):
        pytest.skip("an older Orbax")


def made(lib):
    x = lib.Input((4,), name="x")
    h = lib.layers.Dense(3, activation="relu", name="a")(x)
    h = lib.layers.BatchNormalization(name="n")(h)
    model = lib.Model(x, lib.layers.Dense(1, name="b")(h), name="net")
    model.compile("adam", "mse")
    return model


def fit(model, checkpoint, **how):
    given = {"epochs": 3, "batch_size": 8, "verbose": 0, **how}
    return model.fit(X, Y, callbacks=checkpoint, **given)


def steps(folder):
    return sorted(int(name) for name in os.listdir(folder) if name.isdigit())


@needs_orbax
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("way", ["ours", "to keras", "from keras"])
def test_a_model_goes_on_from_its_checkpoint(way, background, keras, tmp_path):
    writer = keras if way == "from keras" else minikeras
    reader = keras if way == "to keras" else minikeras
    model = made(writer)
    checkpoint = writer.callbacks.OrbaxCheckpoint(
        str(tmp_path), max_to_keep=2, save_on_background=background
    )
    fit(model, checkpoint)
    assert steps(tmp_path) == [1, 2]
    loaded = reader.saving.load_model(str(tmp_path))
    weighted = made(reader)
    weighted.load_weights(str(tmp_path))
    want = np.asarray(model.predict(X, verbose=0))
    for other in (loaded, weighted):
        np.testing.assert_allclose(other.predict(X, verbose=0), want, rtol=1e-5)
    for _ in range(3):  # the optimizer goes on as well
        losses = float(loaded.train_on_batch(X, Y)), float(model.train_on_batch(X, Y))
        np.testing.assert_allclose(*losses, rtol=1e-5)


@needs_orbax
def test_a_sequential_model_is_found_whatever_its_paths(tmp_path):
    layers = minikeras.layers
    model = minikeras.Sequential(
        [layers.Input((4,)), layers.Dense(2), layers.Dense(1)], name="row"
    )
    model.compile("adam", "mse")
    fit(model, OrbaxCheckpoint(tmp_path))
    loaded = minikeras.saving.load_model(tmp_path)
    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    other = minikeras.Sequential([layers.Input((4,)), layers.Dense(1, name="lone")])
    with pytest.raises(ValueError, match=r"there is no value for '.*lone/bias'"):
        other.load_weights(tmp_path)


@needs_orbax
def test_only_the_best_or_after_so_many_batches(tmp_path):
    class Falling(OrbaxCheckpoint):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, {"score": [3.0, 5.0, 2.0, 4.0][epoch]})

    best = Falling(
        tmp_path / "best", "score", save_best_only=True, mode="min", max_to_keep=None
    )
    fit(made(minikeras), best, epochs=4)
    assert steps(tmp_path / "best") == [0, 2]
    often = OrbaxCheckpoint(tmp_path / "often", save_freq=2, max_to_keep=None)
    fit(made(minikeras), often)
    assert steps(tmp_path / "often") == [2, 4, 6, 8]
    with pytest.warns(UserWarning, match="only with val_loss available, skipping"):
        fit(made(minikeras), OrbaxCheckpoint(tmp_path / "no", save_best_only=True))


@needs_orbax
def test_weights_alone_make_no_model(tmp_path):
    model = made(minikeras)
    fit(model, OrbaxCheckpoint(tmp_path, save_weights_only=True))
    with pytest.raises(ValueError, match="does not contain model configuration"):
        minikeras.saving.load_model(tmp_path)
    again = made(minikeras)
    again.load_weights(tmp_path)
    for got, want in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)


@needs_orbax
def test_vocabularies_are_refused(tmp_path):
    layers = minikeras.layers
    words = layers.TextVectorization(vocabulary=["a"], output_sequence_length=2)
    model = minikeras.Sequential([layers.Input((), dtype="string"), words])
    callback = OrbaxCheckpoint(tmp_path)
    callback.model = model
    with pytest.raises(ValueError, match="has a file, such as a vocabulary"):
        callback.on_epoch_end(0)


def test_without_the_library_an_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match="requires orbax: pip install"):
        OrbaxCheckpoint(tmp_path)
