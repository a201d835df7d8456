"""Quantization that looks at data, beside Keras's."""

import numpy as np
import pytest

import minikeras
from minikeras import layers, models, quantizers
from minikeras.quantizers.awq import AWQ
from minikeras.quantizers.calibrating import calibrate_blocks, get_dataloader
from minikeras.quantizers.gptq import GPTQ

# A model's layers that cannot be quantized are told of, and stay as they are.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`"),
    pytest.mark.filterwarnings("ignore:Invalid quantization mode"),
]

GPTQ_CONFIGS = {
    "one_group": {"group_size": -1},
    "groups": {"group_size": 8},
    "ordered": {"group_size": 8, "activation_order": True},
    "symmetric": {"group_size": -1, "symmetric": True},
    "8_bits": {"weight_bits": 8, "group_size": 4},
    "3_bits": {"weight_bits": 3, "group_size": 4, "per_channel": False},
}
LAYERS = {
    "dense": lambda k: k.Dense(10),
    "heads": lambda k: k.EinsumDense("ab,bcd->acd", (3, 4), bias_axes="d"),
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def built(room, name):
    """Return a layer with weights that do not depend on the room, and inputs."""
    rng = np.random.default_rng(len(name))
    layer = LAYERS[name](room.layers)
    layer.build((None, 16))
    layer.set_weights([np.float32(rng.normal(size=w.shape)) for w in layer.weights])
    x = rng.normal(size=(96, 16)) * np.linspace(0.1, 4, 16)
    return layer, np.float32(x)


def compare(ours, theirs, x):
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        assert (tuple(a.shape), a.dtype) == (tuple(b.shape), b.dtype)
        np.testing.assert_allclose(a.numpy(), np.asarray(b.value), rtol=1e-5)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("config", GPTQ_CONFIGS)
@pytest.mark.parametrize("name", LAYERS)
def test_gptq_is_keras_s(keras, name, config):
    from keras.src.quantizers import gptq

    found = []
    for room, algorithm in ((minikeras, GPTQ), (keras, gptq.GPTQ)):
        layer, x = built(room, name)
        before = np.asarray(layer(x))
        settings = room.quantizers.GPTQConfig(None, None, **GPTQ_CONFIGS[config])
        layer.quantize("gptq", config=settings)
        np.testing.assert_allclose(layer(x), before, rtol=1e-5, atol=1e-5)
        of_layer = algorithm(layer, settings)
        for part in (x[:40], x[40:]):
            of_layer.update_hessian_with_batch(part)
        of_layer.quantize_and_correct_layer()
        found.append(layer)
    compare(*found, x)


@pytest.mark.parametrize("size", [-1, 8])
@pytest.mark.parametrize("name", LAYERS)
def test_awq_is_keras_s(keras, name, size):
    from keras.src.quantizers import awq

    found = []
    for room, algorithm in ((minikeras, AWQ), (keras, awq.AWQ)):
        layer, x = built(room, name)
        settings = room.quantizers.AWQConfig(None, None, group_size=size)
        layer.quantize("awq", config=settings)
        of_layer = algorithm(layer, settings)
        of_layer.update_activation_magnitudes(x)
        of_layer.quantize_layer()
        found.append(layer)
    compare(*found, x)


# -- models ----------------------------------------------------------------------------


class Tokens:
    def tokenize(self, text):
        return [ord(c) % 50 for c in text]


def language_model(room):
    """Return a small model of tokens, its config's structure included."""
    rng = np.random.default_rng(3)
    embedding = room.layers.Embedding(50, 16)
    blocks = [
        room.models.Sequential(
            [room.layers.Dense(24, "relu"), room.layers.Dense(16)], name=f"block_{i}"
        )
        for i in range(2)
    ]
    stack = [room.layers.Input((12,), dtype="int32"), embedding, *blocks]
    model = room.models.Sequential(stack)
    model.set_weights([np.float32(rng.normal(size=w.shape)) for w in model.weights])
    structure = {"pre_block_layers": [embedding], "sequential_blocks": blocks}
    return model, structure


def quantized(room, kind, **kwargs):
    model, structure = language_model(room)
    config = getattr(room.quantizers, kind)(
        ["the quick brown fox jumps over the lazy dog", "again and again"],
        Tokens(),
        num_samples=8,
        sequence_length=12,
        group_size=8,
        quantization_layer_structure=structure,
    )
    model.quantize(config.mode, config=config, **kwargs)
    return model


@pytest.mark.parametrize("kind", ["GPTQConfig", "AWQConfig"])
def test_a_model_keeps_its_outputs_nearly_and_goes_into_files(keras, kind, tmp_path):
    x = np.random.default_rng(0).integers(0, 50, (4, 12))
    exact = language_model(minikeras)[0].predict(x, verbose=0)
    model = quantized(minikeras, kind)
    y = model.predict(x, verbose=0)
    assert np.corrcoef(y.ravel(), exact.ravel())[0, 1] > 0.97
    assert all(
        layer.quantization_mode == kind[:-6].lower()
        for block in model.layers[1:]
        for layer in block.layers
    )
    model.save(tmp_path / "ours.keras")
    again = models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), y, rtol=1e-5, atol=1e-5)
    # Not the other way round: Keras 3.15 leaves zero points out of what it saves.
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(theirs.predict(x, verbose=0), y, rtol=1e-3, atol=1e-3)


def test_gptq_beats_rounding():
    """The error that it leaves in outputs is below that of plain rounding."""
    x = np.float32(np.random.default_rng(1).normal(size=(256, 16)) @ mixing())
    errors = []
    for order in (False, True):
        layer, _ = built(minikeras, "dense")
        exact = layer(x)
        config = quantizers.GPTQConfig(None, None, weight_bits=4, group_size=-1)
        layer.quantize("gptq", config=config)
        algorithm = GPTQ(layer, config)
        if order:
            algorithm.update_hessian_with_batch(x)
        else:
            algorithm.hessian = np.eye(16, dtype="float32")  # nothing to make up for
        algorithm.quantize_and_correct_layer()
        errors.append(float(np.mean((layer(x) - exact) ** 2)))
    assert errors[1] < 0.97 * errors[0]


def mixing():
    """Return a matrix that makes inputs depend on each other a little."""
    rng = np.random.default_rng(2)
    return np.eye(16) + 0.1 * rng.normal(size=(16, 16))


def test_filters_choose_layers():
    model = quantized(
        minikeras, "GPTQConfig", filters=lambda x: getattr(x, "units", 0) == 24
    )
    first, last = model.layers[1].layers
    assert first.quantization_mode == "gptq"
    assert hasattr(first, "quantized_kernel")
    assert last.quantization_mode is None
    assert not hasattr(last, "quantized_kernel")


def test_what_is_missing_is_named():
    model, structure = language_model(minikeras)
    config = quantizers.GPTQConfig(["a"], Tokens())
    with pytest.raises(ValueError, match="For mode='gptq', a valid quantization struc"):
        model.quantize("gptq", config=config)
    with pytest.raises(ValueError, match="requires a dataset and a tokenizer"):
        calibrate_blocks(GPTQ, quantizers.GPTQConfig(None, None), structure)
    with pytest.raises(ValueError, match="No sequential blocks"):
        calibrate_blocks(GPTQ, config, {})
    with pytest.raises(TypeError, match="Unsupported layer type for AWQ"):
        AWQ(layers.Conv1D(2, 3))
    dense, _ = built(minikeras, "dense")
    with pytest.raises(ValueError, match="do not match input features"):
        GPTQ(dense).update_hessian_with_batch(np.ones((2, 3)))
    with pytest.raises(ValueError, match="cannot be empty"):
        GPTQ(dense).update_hessian_with_batch(np.ones((0, 16)))


@pytest.mark.parametrize("strategy", ["linspace", "random", "strided"])
def test_windows_are_cut_from_the_text(strategy):
    found = get_dataloader(Tokens(), 4, ["abcde", "fg"], 5, strategy=strategy)
    text = np.tile(Tokens().tokenize("abcdefg"), 3)
    windows = np.lib.stride_tricks.sliding_window_view(text, 4).tolist()
    assert found.shape == (5, 1, 4)
    assert found.dtype == np.int32
    assert all(window in windows for window in found[:, 0].tolist())
