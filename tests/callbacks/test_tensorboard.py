"""The event files of a training, read by TensorBoard; weights' averages swapped in."""

from __future__ import annotations

import os

import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.callbacks import SwapEMAWeights, TensorBoard
from minikeras.callbacks.tensorboard import as_images

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator"
)
tensor_util = pytest.importorskip("tensorboard.util.tensor_util")

X = np.random.default_rng(0).normal(size=(12, 6, 6, 1)).astype("float32")
Y = X.mean((1, 2))


def image_model(**compile):
    model = minikeras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(2, 3, name="conv"),
            layers.Flatten(),
            layers.Dense(1, name="head"),
        ],
        name="net",
    )
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile})
    return model


def read(folder):
    """Return the series by their tags, as lists of steps and arrays; and the reader."""
    reader = accumulator.EventAccumulator(str(folder), {"tensors": 0})
    reader.Reload()
    series = {
        tag: [(e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in events]
        for tag in reader.Tags()["tensors"]
        for events in [reader.Tensors(tag)]
    }
    return series, reader


def fit(folder, model=None, epochs=2, validate=True, **arguments):
    model = model or image_model()
    data = {"validation_data": (X, Y)} if validate else {}
    board = TensorBoard(folder, **arguments)
    history = model.fit(
        X, Y, batch_size=4, epochs=epochs, callbacks=board, verbose=0, **data
    )
    return history.history


def test_an_epochs_values_are_those_of_history(tmp_path):
    history = fit(tmp_path)
    train, reader = read(tmp_path / "train")
    validation, _ = read(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_learning_rate", "keras"}
    assert [step for step, _ in train["epoch_loss"]] == [0, 1]
    for series, name in ((train, "loss"), (validation, "val_loss")):
        values = [value for _, value in series["epoch_loss"]]
        np.testing.assert_allclose(values, history[name], rtol=1e-6)
    steps, values = zip(*validation["evaluation_loss_vs_iterations"], strict=True)
    assert steps == (3, 6)
    np.testing.assert_allclose(values, history["val_loss"], rtol=1e-6)
    assert "net/conv/" in str(reader.Graph())


def test_without_validation_there_is_one_folder(tmp_path):
    fit(tmp_path, validate=False, write_graph=False)
    assert os.listdir(tmp_path) == ["train"]


@pytest.mark.parametrize("freq, steps", [("batch", [1, 2, 3, 4, 5, 6]), (4, [4])])
def test_values_of_batches(tmp_path, freq, steps):
    fit(tmp_path, update_freq=freq, write_steps_per_second=True)
    train, _ = read(tmp_path / "train")
    for tag in ("batch_loss", "batch_steps_per_second"):
        assert [step for step, _ in train[tag]] == steps
    assert len(train["epoch_steps_per_second"]) == 2
    assert all(value > 0 for _, value in train["epoch_steps_per_second"])


def test_weights(tmp_path):
    model = image_model()
    fit(tmp_path, model, histogram_freq=1, write_images=True)
    train, _ = read(tmp_path / "train")
    named = {"net/conv/kernel", "net/conv/bias", "net/head/kernel", "net/head/bias"}
    assert {t.removesuffix("/histogram") for t in train if "histogram" in t} == named
    step, rows = train["net/conv/kernel/histogram"][-1]
    kernel = model.get_layer("conv").kernel.numpy()
    assert step == 1
    np.testing.assert_allclose([rows[0, 0], rows[-1, 1]], [kernel.min(), kernel.max()])
    assert rows[:, 2].sum() == kernel.size
    assert len(train["net/conv/kernel/image"][0][1]) == 2 + 2  # sizes, then kernels


def test_images_of_weights():
    shapes = {
        (): None,
        (3,): (1, 3, 1, 1),
        (2, 5): (1, 2, 5, 1),
        (5, 2): (1, 2, 5, 1),
        (3, 4, 2): (2, 3, 4, 1),
        (3, 3, 2, 8): None,
        (3, 3, 2, 4): (3, 3, 2, 4),
    }
    for shape, want in shapes.items():
        images = as_images(np.zeros(shape))
        assert (None if images is None else images.shape) == want


def test_projector(tmp_path):
    model = minikeras.Sequential(
        [
            layers.Input((3,)),
            layers.Embedding(5, 2, name="e"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    board = TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata={"e": 'a "b".tsv'}
    )
    model.fit(np.ones((4, 3)), np.ones((4, 1)), callbacks=board, verbose=0)
    assert (tmp_path / "projector_config.pbtxt").read_text().splitlines() == [
        "embeddings {",
        '  tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"',
        '  metadata_path: "a \\"b\\".tsv"',
        "}",
    ]
    assert (tmp_path / "train" / "keras_embedding.ckpt-0.weights.h5").exists()
    with pytest.raises(ValueError, match=r"Unrecognized `Embedding` layer .*'f'"):
        TensorBoard(
            tmp_path, embeddings_freq=1, embeddings_metadata={"f": "x"}
        ).set_model(model)


def test_batches_are_not_profiled(tmp_path):
    with pytest.raises(ValueError, match="Profiling is not yet available"):
        TensorBoard(tmp_path, profile_batch=2)


# -- averages of weights ---------------------------------------------------------------


def small_model(lib, optimizer, **kwargs):
    model = lib.Sequential([lib.Input((2,)), lib.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[1.0], [2.0]], "float32")])
    model.compile(optimizer(lib), "mse", **kwargs)
    return model


OPTIMIZERS = {
    "sgd": lambda lib: lib.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
    "loss scale": lambda lib: lib.optimizers.LossScaleOptimizer(
        lib.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), initial_scale=4.0
    ),
}
A = np.array([[1.0, 0.5], [-1.0, 2.0], [0.5, 0.5], [2.0, -1.0]], "float32")
B = A[:, :1] - A[:, 1:]


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_evaluation_is_with_the_average_as_in_keras(keras, optimizer, swap_on_epoch):
    seen = {}
    for lib in (keras, minikeras):
        model = small_model(lib, OPTIMIZERS[optimizer])
        after: list = []
        note = lib.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, m=model, a=after: a.append(m.get_weights())
        )
        history = model.fit(
            A,
            B,
            batch_size=2,
            epochs=3,
            shuffle=False,
            verbose=0,
            validation_data=(A, B),
            callbacks=[lib.callbacks.SwapEMAWeights(swap_on_epoch), note],
        ).history
        seen[lib] = (history["loss"], history["val_loss"], after, model.get_weights())
    for got, want in zip(seen[minikeras], seen[keras], strict=True):
        np.testing.assert_allclose(np.squeeze(got), np.squeeze(want), rtol=1e-5)


def test_prediction_leaves_the_weights_to_go_on_with():
    model = small_model(minikeras, OPTIMIZERS["sgd"])
    model.fit(A, B, epochs=1, batch_size=1, verbose=0)
    model.train_on_batch(A, B)
    before = model.get_weights()[0]
    averaged = model.predict(A, callbacks=[SwapEMAWeights()], verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert np.abs(averaged - A @ before).max() > 1e-3


def test_an_optimizer_without_an_average_is_refused():
    model = small_model(minikeras, lambda lib: lib.optimizers.SGD())
    with pytest.raises(ValueError, match=r"when `use_ema=True` is set .*=False"):
        model.evaluate(A, B, callbacks=[SwapEMAWeights()], verbose=0)
