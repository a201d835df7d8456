"""Operations of a user's own: on arrays, on tensors, in models, as configs."""

from __future__ import annotations

import numpy as np
import pytest

from minikeras import KerasTensor, Layer, Model, Operation, layers, ops, utils
from minikeras import backend as K

X = np.arange(6, dtype="float32").reshape(2, 3)


class Affine(Operation):
    def __init__(self, alpha, *, beta=1.0, name=None):
        super().__init__(name=name)
        self.alpha = alpha
        self.beta = beta

    def call(self, x, plus=None):
        y = self.alpha * x + self.beta
        return y if plus is None else y + plus


class Both(Operation):
    def call(self, x):
        return x, ops.sum(x, axis=-1)


class Told(Operation):
    """One whose outputs are told, so that it may compute with anything."""

    def call(self, x):
        return np.cumsum(np.asarray(x), axis=-1)

    def compute_output_spec(self, x):
        return KerasTensor(x.shape, x.dtype)


def test_on_arrays_it_computes_at_once():
    np.testing.assert_array_equal(Affine(2.0)(X, plus=X), 3 * X + 1)
    np.testing.assert_array_equal(Both()(X)[1], X.sum(1))


def test_on_tensors_it_remembers_its_calls():
    x, y = KerasTensor((None, 3)), KerasTensor((None, 3))
    op = Affine(2.0, name="affine")
    with pytest.raises(AttributeError, match="never been called"):
        op.input  # noqa: B018 - which raises
    out = op(x, plus=y)
    assert (out.shape, op.input, op.output) == ((None, 3), [x, y], out)
    op(y)
    assert (len(op._inbound_nodes), op.output) == (2, out)
    both = Both()
    same, total = both(x)
    assert same is not x
    assert both.output == [same, total]
    np.testing.assert_array_equal(K.function([x], [total])([X])[0], X.sum(1))


def test_its_spec_is_told_or_found():
    x = KerasTensor((None, 3), "float16")
    spec = Both().compute_output_spec(x)
    assert [(y.shape, y.dtype) for y in spec] == [
        ((None, 3), "float16"),
        ((None,), "float16"),
    ]

    class Wrong(Operation):
        def call(self, x):
            return ops.reshape(x, (7, 7))

    with pytest.raises(ValueError, match=r"(?s)output shape / dtype of 'wrong'.*7"):
        Wrong().compute_output_spec(KerasTensor((2, 3)))


def test_models_are_made_of_operations_too():
    x = layers.Input((3,))
    y = Affine(3.0)(layers.Dense(2, kernel_initializer="ones")(x))
    model = Model(x, y)
    np.testing.assert_allclose(model(X), np.stack([3 * X.sum(1) + 1] * 2, 1))


def test_the_config_is_found_in_the_constructor():
    op = Affine(alpha=0.2)
    assert op.get_config() == {"alpha": 0.2, "beta": 1.0, "name": op.name}
    again = Affine.from_config(op.get_config())
    assert (again.alpha, again.name) == (0.2, op.name)
    assert Both(name="b").get_config() == {"name": "b"}
    with pytest.raises(NotImplementedError):
        Affine(alpha=object()).get_config()
    with pytest.raises(TypeError, match="Error when deserializing class 'Affine'"):
        Affine.from_config({"gamma": 1})

    class Many(Operation):
        def __init__(self, *args):
            super().__init__()

    assert Many().get_config() == {}
    with pytest.raises(NotImplementedError, match="positional arguments"):
        Many(1, 2).get_config()


def test_names_are_checked():
    assert Affine(1.0, name="a").name == "a"
    for wrong in ("a/b", 3):
        with pytest.raises(ValueError, match="cannot contain character `/`"):
            Both(name=wrong)
    with pytest.raises(NotImplementedError):
        Operation()(X)


# -- layers, which are operations ------------------------------------------------------


def test_specs_of_layers():
    x = KerasTensor((None, 3), "float16")
    assert isinstance(layers.Dense(2), Operation)
    spec = layers.Dense(2).compute_output_spec(x)
    assert (spec.shape, spec.dtype) == ((None, 2), "float32")
    assert layers.Dense(2).symbolic_call(x).shape == (None, 2)
    assert layers.Dense(2).compute_output_shape(input_shape=(5, 3)) == (5, 2)

    class Own(Layer):
        def compute_output_shape(self, input_shape):
            return self.result

    own = Own()
    own.result = [2, 7]
    assert own.compute_output_spec(x).shape == (2, 7)
    own.result = {"a": (1,), "b": (2, 3)}
    assert own.compute_output_spec(x)["b"].shape == (2, 3)
    own.result = 3
    with pytest.raises(ValueError, match="cannot be interpreted as a shape"):
        own.compute_output_spec(x)


def test_inputs_of_a_tensor_are_found():
    a, b = layers.Input((3,)), layers.Input((3,))
    y = layers.Dense(2)(a) * 2.0 + layers.Dense(2)(b)
    assert utils.get_source_inputs(y) == [a, b]
    assert utils.get_source_inputs(a) == [a]


def test_told_operations_serve_models():
    x = layers.Input((3,))
    y = Told()(x)
    assert y.shape == (None, 3)
