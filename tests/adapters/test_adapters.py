"""Quantized layers and layers with low-rank sums, beside Keras's."""

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras import layers, models, optimizers, quantizers


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


LAYERS = {
    "dense": (lambda k: k.Dense(5, "relu"), (4, 6)),
    "no_bias": (lambda k: k.Dense(5, use_bias=False), (4, 3, 6)),
    "heads": (
        lambda k: k.EinsumDense("btd,dhc->bthc", (None, 2, 4), "tanh", "hc"),
        (4, 3, 6),
    ),
    "turned": (lambda k: k.EinsumDense("btd,ndh->bnth", (2, None, 4)), (4, 3, 6)),
    "two_axes": (lambda k: k.EinsumDense("abcd,cde->abe", (3, 5)), (4, 3, 2, 6)),
    "embedding": (lambda k: k.Embedding(7, 5), None),
}
MODES = {
    "float": None,
    "int8": lambda q: q.Int8QuantizationConfig(),
    "int8_weights": lambda q: q.Int8QuantizationConfig(activation_quantizer=None),
    "int4": lambda q: q.Int4QuantizationConfig(),
    "int4_blocks": lambda q: q.Int4QuantizationConfig(block_size=4),
    "int4_channels": lambda q: q.Int4QuantizationConfig(block_size=None),
}


def inputs(rng, shape):
    if shape is None:
        return rng.integers(0, 7, (4, 3))
    return np.float32(rng.normal(size=shape))


def pair(keras, name, rng):
    """Return the same layer here and in Keras, and inputs."""
    make, shape = LAYERS[name]
    ours, theirs = make(layers), make(keras.layers)
    built = shape and (None, *shape[1:])
    ours.build(built)
    theirs.build(built)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        b.assign(a.numpy())
    return ours, theirs, inputs(rng, shape)


def described(weights):
    return [(w.name, tuple(w.shape), w.dtype, w.trainable) for w in weights]


def compare(ours, theirs, x):
    assert described(ours.weights) == described(theirs.weights)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, err_msg=a.path)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-4, atol=1e-5)
    assert repr(ours.dtype_policy) == repr(theirs.dtype_policy)
    config = minikeras.utils.serialize_keras_object(ours)["config"]
    wanted = theirs.get_config()
    for name in ("dtype", "lora_rank", "lora_alpha", "quantization_config"):
        assert config.get(name) == wanted.get(name)


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAYERS)
def test_outputs_weights_and_configs_are_those_of_keras(keras, rng, name, mode, lora):
    ours, theirs, x = pair(keras, name, rng)
    if MODES[mode]:
        ours.quantize(config=MODES[mode](quantizers))
        theirs.quantize(config=MODES[mode](keras.quantizers))
    if lora:
        for layer in (ours, theirs):
            layer.enable_lora(2, lora_alpha=3)
        for mine, other in zip(ours.weights, theirs.weights, strict=True):
            if "lora" in mine.name:
                mine.assign(np.float32(rng.normal(size=mine.shape)))
                other.assign(mine.numpy())
    compare(ours, theirs, x)
    symbolic = layers.Input(x.shape[1:], dtype=str(x.dtype))
    assert tuple(ours(symbolic).shape) == (None, *ours(x).shape[1:])


@pytest.mark.parametrize("mode", ["int8", "int4_blocks", "int4_channels"])
@pytest.mark.parametrize("name", ["dense", "heads", "embedding"])
def test_files_have_the_low_rank_sum_merged(keras, rng, name, mode):
    ours, theirs, x = pair(keras, name, rng)
    stores = []
    for layer, room in ((ours, quantizers), (theirs, keras.quantizers)):
        layer.quantize(config=MODES[mode](room))
        layer.enable_lora(2)
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        if "lora" in mine.name:
            mine.assign(np.float32(rng.normal(size=mine.shape)) * 0.1)
            other.assign(mine.numpy())
    for layer in (ours, theirs):
        stores.append({})
        layer.save_own_variables(stores[-1])
    assert list(stores[0]) == list(stores[1])
    for key, value in stores[0].items():
        np.testing.assert_allclose(value, np.asarray(stores[1][key]), rtol=1e-4)
    before = np.asarray(ours(x))
    ours.load_own_variables(stores[0])
    assert not ours.lora_pair[0].numpy().any()
    coarse = 0.05 if mode == "int8" else 0.6
    np.testing.assert_allclose(ours(x), before, atol=coarse * np.abs(before).max())


@pytest.mark.parametrize("mode", ["int8", "int4", "int4/4"])
@pytest.mark.parametrize("name", ["dense", "heads", "embedding"])
def test_a_policy_builds_what_files_fill(keras, rng, name, mode):
    ours, _, x = pair(keras, name, rng)
    size = None if mode == "int4" else 4
    config = quantizers.Int4QuantizationConfig(block_size=size)
    if mode == "int8":
        config = quantizers.Int8QuantizationConfig()
    ours.quantize(config=config)
    store = {}
    ours.save_own_variables(store)
    again = type(ours).from_config(ours.get_config())
    again.build(x.shape)
    assert described(again.weights) == described(ours.weights)
    again.load_own_variables(store)
    np.testing.assert_array_equal(again(x), ours(x))


def test_only_the_thin_matrices_are_trained(rng):
    model = models.Sequential([layers.Input((6,)), layers.Dense(5), layers.Dense(1)])
    dense = model.layers[0]
    before = model.predict(np.ones((1, 6)), verbose=0)
    model.layers[1].trainable = False
    dense.bias.trainable = False
    dense.enable_lora(2)
    np.testing.assert_allclose(model.predict(np.ones((1, 6)), verbose=0), before)
    kernel = dense._kernel.numpy()
    assert [w.name for w in model.trainable_weights] == [
        "lora_kernel_a",
        "lora_kernel_b",
    ]
    model.compile(optimizers.Adam(0.05), "mse")
    x = np.float32(rng.normal(size=(32, 6)))
    history = model.fit(x, x[:, :1], epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_array_equal(dense._kernel.numpy(), kernel)
    merged = kernel + dense.lora_kernel_a.numpy() @ dense.lora_kernel_b.numpy()
    np.testing.assert_allclose(dense.kernel, merged, rtol=1e-5, atol=1e-6)


def test_a_gradient_passes_a_quantized_layer_as_in_keras(keras, rng):
    import jax

    for name in ("dense", "heads", "two_axes"):
        ours, theirs, x = pair(keras, name, rng)
        ours.quantize("int8")
        theirs.quantize("int8")
        weight = np.float32(rng.normal(size=ours(x).shape))
        wanted = jax.vjp(theirs, x)[1](keras.ops.array(weight))[0]
        variable = K.Variable(x)

        @K.function
        def slope(layer=ours, variable=variable, weight=weight):
            return K.gradients(K.sum(layer(variable.value) * weight), [variable])[0]

        np.testing.assert_allclose(slope(), wanted, rtol=1e-4, atol=1e-5)


class TestModels:
    def test_all_layers_that_can_be_are_quantized(self, rng):
        model = models.Sequential(
            [layers.Input((6,)), layers.Dense(5, name="a"), layers.Dense(4, name="b")]
        )
        x = np.float32(rng.normal(size=(3, 6)))
        before = model.predict(x, verbose=0)
        model.quantize("int8", filters="^a$")
        assert [y.quantization_mode for y in model.layers] == ["int8", None]
        after = model.predict(x, verbose=0)
        assert (after != before).any()
        np.testing.assert_allclose(after, before, atol=0.05)
        assert model.layers[0].kernel.shape == (6, 5)

    def test_others_are_named_in_a_warning(self):
        model = models.Sequential([layers.Input((6,)), layers.ReLU(), layers.Dense(1)])
        with pytest.warns(UserWarning, match="ReLU does not have a `quantize` method"):
            model.quantize("int4", filters=["re_lu", "dense"])
        assert model.layers[-1].dtype_policy.name == "int4/128_from_float32"

    def test_filters_are_patterns_or_a_function(self):
        model = models.Sequential([layers.Input((6,)), layers.Dense(1)])
        model.quantize("int8", filters=["x", lambda y: False][1])
        assert model.layers[0].quantization_mode is None
        with pytest.raises(ValueError, match="The `filters` argument must be"):
            model.quantize("int8", filters=3)
        with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
            model.quantize("int8", color=3)

    def test_attention_is_quantized_inside(self, rng):
        x = layers.Input((4, 8))
        model = models.Model(x, layers.MultiHeadAttention(2, 4)(x, x))
        batch = np.float32(rng.normal(size=(2, 4, 8)))
        before = model.predict(batch, verbose=0)
        with pytest.warns(UserWarning, match="InputLayer does not have"):
            model.quantize("int8", filters=lambda y: y.name != "softmax")
        np.testing.assert_allclose(model.predict(batch, verbose=0), before, atol=0.1)
        kinds = {w.dtype for w in model.weights if w.name == "kernel"}
        assert kinds == {"int8"}


class TestErrors:
    def test_a_layer_must_be_built_and_is_quantized_once(self):
        dense = layers.Dense(2)
        with pytest.raises(ValueError, match="isn't yet built"):
            dense.quantize("int8")
        with pytest.raises(ValueError, match="isn't yet built"):
            dense.enable_lora(2)
        with pytest.raises(AttributeError, match="before accessing `kernel`"):
            _ = dense.kernel
        dense.build((None, 3))
        dense.quantize("int8")
        with pytest.raises(ValueError, match="'dense' is already quantized with"):
            dense.quantize("int4")
        dense.enable_lora(2)
        with pytest.raises(ValueError, match="lora is already enabled"):
            dense.enable_lora(2)

    def test_what_cannot_be(self):
        class Own(layers.Dense):
            pass

        own = Own(2)
        own.build((None, 3))
        with pytest.raises(NotImplementedError, match="Own does not have a `quantize`"):
            own.quantize("int8")
        own.quantize("int8", type_check=False)
        assert own.quantization_mode == "int8"
        half = layers.Dense(2, dtype="float16")
        half.build((None, 3))
        with pytest.raises(ValueError, match="doesn't work well with compute_dtype"):
            half.quantize("int8")
        held = layers.Dense(2, kernel_constraint="max_norm")
        held.build((None, 3))
        with pytest.raises(ValueError, match="incompatible with kernel constraints"):
            held.enable_lora(1)

    def test_a_policy_of_theirs_quantizes_nothing_by_itself(self):
        dense = layers.Dense(2)
        dense.build((None, 3))
        with pytest.raises(ValueError, match="Implicitly enabling GPTQ"):
            dense.dtype_policy = "gptq/4/128_from_float32"

    def test_a_policy_of_integers_does(self):
        dense = layers.Dense(2)
        dense.build((None, 3))
        dense.dtype_policy = "int8_from_float32"
        assert dense._kernel.dtype == "int8"


class TestFloat8:
    def steps(self, room, layer, optimizer, x, y, count):
        """Yield predictions while a layer is trained."""
        model = room.models.Sequential([room.layers.Input(x.shape[1:]), layer])
        model.compile(optimizer, "mse")
        for _ in range(count):
            yield model.train_on_batch(x, y)

    def test_training_moves_the_scales_as_in_keras(self, keras, rng):
        x, y = (np.float32(rng.normal(size=(8, n))) for n in (6, 5))
        made = []
        for room in (minikeras, keras):
            layer = room.layers.Dense(5, dtype="float8_from_float32")
            layer.build((None, 6))
            made.append(layer)
        ours, theirs = made
        names = sorted(w.name for w in ours.weights)
        assert names == sorted(w.name for w in theirs.weights)
        for a in ours.weights:
            next(b for b in theirs.weights if b.name == a.name).assign(a.numpy())
        optimizer = optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
        found = list(self.steps(minikeras, ours, optimizer[0], x, y, 4))
        wanted = list(self.steps(keras, theirs, optimizer[1], x, y, 4))
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
        for a in ours.weights:
            b = next(b for b in theirs.weights if b.name == a.name)
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5)
        assert ours.inputs_scale.numpy() != 1

    def test_the_history_may_be_shorter(self):
        from minikeras.dtype_policies import QuantizedFloat8DTypePolicy

        policy = QuantizedFloat8DTypePolicy("float8", "float32", 8)
        dense = layers.Dense(2, dtype=policy)
        dense.build((None, 3))
        assert dense.kernel_amax_history.shape == (8,)


class TestReversibleEmbedding:
    def test_both_ways_use_the_adapted_table(self, rng):
        ids = rng.integers(0, 7, (4, 3))
        layer = layers.ReversibleEmbedding(7, 5)
        rows = np.asarray(layer(ids))
        layer.enable_lora(2)
        layer.lora_embeddings_b.assign(np.ones((2, 5)))
        table = layer.embeddings
        np.testing.assert_allclose(layer(ids), table[ids], rtol=1e-5)
        found = layer(rows, reverse=True)
        np.testing.assert_allclose(found, rows @ table.T, rtol=1e-4, atol=1e-6)

    def test_quantized(self, rng):
        ids = rng.integers(0, 7, (4, 3))
        layer = layers.ReversibleEmbedding(7, 5)
        before = np.asarray(layer(ids))
        logits = np.asarray(layer(before, reverse=True))
        layer.quantize("int8")
        np.testing.assert_allclose(layer(ids), before, atol=1e-3)
        np.testing.assert_allclose(layer(before, reverse=True), logits, atol=1e-3)
