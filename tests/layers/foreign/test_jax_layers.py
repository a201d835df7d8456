"""JAX's models as layers, against JAX itself."""

import sys

import numpy as np
import pytest

import minikeras
from minikeras import layers

jax = pytest.importorskip("jax")
jnp = jax.numpy


@minikeras.saving.register_keras_serializable("jax_layers")
def affine(params, inputs):
    return jnp.tanh(inputs @ params["w"] + params["b"])


@minikeras.saving.register_keras_serializable("jax_layers")
def drawn(rng, inputs):
    return {"w": jax.random.normal(rng, (inputs.shape[-1], 2)), "b": jnp.zeros(2)}


def counted(params, state, rng, inputs, training):
    if training:
        inputs = inputs * jax.random.bernoulli(rng, 0.5, inputs.shape)
    return inputs @ params, {"calls": state["calls"] + 1}


@pytest.fixture
def weights(rng):
    return {
        "w": rng.standard_normal((3, 2)).astype("float32"),
        "b": rng.standard_normal(2).astype("float32"),
    }


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_values_and_shapes_are_jaxs(rng, weights):
    layer = layers.JaxLayer(affine, params=weights)
    x = rng.standard_normal((4, 3)).astype("float32")
    np.testing.assert_allclose(layer(x), affine(weights, x), rtol=1e-6)
    assert layer(minikeras.Input((None, 3))).shape == (None, None, 2)
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert [w.shape for w in layer.trainable_weights] == [(2,), (3, 2)]


def test_gradients_are_jaxs(rng, weights):
    x = rng.standard_normal((4, 3)).astype("float32")
    layer = layers.JaxLayer(affine, params=weights)

    def loss(x):
        return minikeras.ops.sum(layer(x) ** 2)

    slope = minikeras.grad(loss)(x)
    want = jax.grad(lambda x: jnp.sum(affine(weights, x) ** 2))(x)
    np.testing.assert_allclose(slope, want, rtol=1e-5, atol=1e-6)
    # And those of a gradient.
    again = minikeras.grad(lambda x: minikeras.ops.sum(minikeras.grad(loss)(x) ** 2))(x)
    wanted = jax.grad(
        lambda x: jnp.sum(jax.grad(lambda x: jnp.sum(affine(weights, x) ** 2))(x) ** 2)
    )(x)
    np.testing.assert_allclose(again, wanted, rtol=1e-4, atol=1e-5)


def test_training_is_a_step_of_gradient_descent_in_jax(rng, weights):
    x = rng.standard_normal((8, 3)).astype("float32")
    y = rng.standard_normal((8, 2)).astype("float32")
    model = minikeras.Sequential([layers.JaxLayer(affine, params=weights)])
    model.compile(minikeras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    slopes = jax.grad(lambda w: jnp.mean((affine(w, x) - y) ** 2))
    for _ in range(3):
        steps = slopes(weights)
        weights = {k: weights[k] - 0.1 * steps[k] for k in weights}
    found = model.layers[0].params
    for name in weights:
        np.testing.assert_allclose(found[name].numpy(), weights[name], rtol=1e-4)


def test_state_is_kept_and_keys_are_new(rng):
    layer = layers.JaxLayer(counted, params=np.eye(3), state={"calls": 0}, seed=1)
    x = np.ones((5, 3), "float32")
    np.testing.assert_array_equal(layer(x), x)
    one, other = layer(x, training=True), layer(x, training=True)
    assert (one != other).any()
    assert set(np.unique(one)) == {0, 1}
    assert layer.state["calls"].numpy() == 3
    assert layer.state["calls"].dtype == "int32"
    same = layers.JaxLayer(counted, params=np.eye(3), state={"calls": 0}, seed=1)
    np.testing.assert_array_equal(same(x, training=True), one)


def test_weights_may_start_when_it_is_built():
    minikeras.utils.set_random_seed(0)
    one = layers.JaxLayer(affine, drawn)
    assert one.weights == []
    assert not one.built
    one.build((None, 3))
    minikeras.utils.set_random_seed(0)
    same = layers.JaxLayer(affine, drawn)
    same(np.ones((1, 3)))
    np.testing.assert_array_equal(one.params["w"].numpy(), same.params["w"].numpy())


def test_nested_inputs_and_outputs():
    def both(params, inputs):
        parts = [inputs["a"], inputs["b"]]
        return jnp.concatenate(parts, 1), {"b": jnp.concatenate(parts[::-1], 1)}

    layer = layers.JaxLayer(both, params={})
    inputs = {"a": minikeras.Input((None, 3)), "b": minikeras.Input((None, 3))}
    model = minikeras.Model(inputs, layer(inputs))
    one, other = model({"a": np.zeros((2, 6, 3)), "b": np.ones((2, 7, 3))})
    assert one.shape == other["b"].shape == (2, 13, 3)
    assert one[0, 0, 0] == 0
    assert other["b"][0, 0, 0] == 1


def test_a_model_with_it_comes_back_from_a_file(tmp_path, rng):
    x = rng.standard_normal((4, 3)).astype("float32")
    model = minikeras.Sequential(
        [minikeras.Input((3,)), layers.JaxLayer(affine, drawn)]
    )
    model.save(tmp_path / "model.keras")
    again = minikeras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def scaled(params, inputs):
    return inputs * params


def test_config_is_that_of_keras():
    keras = pytest.importorskip("keras")
    ours, theirs = (
        room.JaxLayer(scaled, params=np.ones(2), name="scaled").get_config()
        for room in (layers, keras.layers)
    )
    assert ours == theirs


def test_numbers_become_16_bits_wide():
    layer = layers.JaxLayer(scaled, params=np.ones(2), dtype="mixed_bfloat16")
    assert layer(np.ones((1, 2))).dtype == "bfloat16"
    assert layer.weights[0].dtype == "float32"


@pytest.mark.parametrize(
    "functions, match",
    [
        ((lambda params, rng: rng,), "Missing required argument in `call_fn`"),
        ((lambda inputs, mode: inputs,), "Unsupported argument in `call_fn`: `mode`"),
        ((lambda inputs: inputs, lambda rng: rng), "in `init_fn`: `inputs`"),
        ((lambda params, inputs: inputs,), "cannot all be `None`"),
    ],
)
def test_functions_with_other_arguments_are_refused(functions, match):
    with pytest.raises(ValueError, match=match):
        layers.JaxLayer(*functions)


def test_a_state_of_another_structure_is_refused():
    def wrong(params, state, inputs):
        return inputs, {"state": [jnp.ones([])]}

    layer = layers.JaxLayer(wrong, params={}, state={"state": {"a": 0.0}})
    with pytest.raises(ValueError, match=r"different types at key path|Expected list"):
        layer(np.ones(1))


@pytest.mark.parametrize(
    "cls, module",
    [
        (layers.JaxLayer, "jax"),
        (layers.FlaxLayer, "flax.linen"),
        (layers.TorchModuleWrapper, "torch"),
        (layers.TFSMLayer, "tensorflow"),
    ],
)
def test_without_the_library_the_error_says_what_to_install(monkeypatch, cls, module):
    monkeypatch.setitem(sys.modules, module, None)
    extra = module.partition(".")[0]
    message = rf"{cls.__name__} requires {extra}: pip install 'minikeras\[{extra}\]'"
    with pytest.raises(ImportError, match=message):
        cls(affine)
