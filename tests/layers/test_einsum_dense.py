"""What `EinsumDense` makes of an equation; its values are compared with Keras's."""

import numpy as np
import pytest

from minikeras import layers

EQUATIONS = [
    ("ab,bc->ac", (2, 3), 4, "c"),
    ("abc,cde->abde", (2, 3, 4), (None, 5, 6), "de"),
    ("abc,cde->abde", (2, 3, 4), (None, 5, 6), "e"),
    ("abc,cde->adeb", (2, 3, 4), (5, 6, None), "d"),
    ("abcd,cde->abe", (2, 3, 4, 5), (None, 6), "e"),
    ("abc,bcd->ad", (2, 3, 4), 5, None),
    ("abc,adb->acd", (2, 3, 4), (4, 5), None),
    ("...x,xy->...y", (2, 3), 5, "y"),
    ("...x,xy->...y", (2, 3, 4), 5, "y"),
    ("...bc,cd->...bd", (2, 3, 4, 5), (4, 6), "bd"),
    ("ab...,bc->ac...", (2, 3, 4, 5), 6, "c"),
    ("ab...,bcd->acd...", (2, 3, 4), (6, 7), "c"),
]


@pytest.mark.parametrize("equation, shape, output, bias", EQUATIONS)
def test_weights_have_the_shapes_and_the_spread_of_keras(
    keras, equation, shape, output, bias
):
    own, theirs = (
        room.EinsumDense(equation, output, bias_axes=bias)
        for room in (layers, keras.layers)
    )
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    own(x), theirs(x)
    assert [w.shape for w in own.weights] == [tuple(w.shape) for w in theirs.weights]
    assert own.input_spec.ndim == theirs.input_spec.ndim
    own.set_weights(theirs.get_weights())
    np.testing.assert_allclose(own(x), theirs(x), rtol=2e-5, atol=2e-5)


def test_fans_are_counted_by_what_the_letters_do():
    layer = layers.EinsumDense("abc,cde->abde", (None, 8, 16))
    layer.build((None, None, 32))
    limit = (6 / (32 + 8 * 16)) ** 0.5
    assert 0.98 * limit < np.abs(layer.kernel.numpy()).max() <= limit
    assert layer.kernel_initializer.get_config()["input_axes"] is None


def test_a_size_that_the_input_tells_need_not_be_given():
    layer = layers.EinsumDense("abc,cd->abd", (None, 6), bias_axes="bd")
    assert layer(layers.Input((4, 5))).shape == (None, 4, 6)
    assert layer.bias.shape == (4, 6)


@pytest.mark.parametrize(
    "equation, output, bias",
    [
        ("ab,bc", 3, None),
        ("...ab,bc->ac", 3, None),
        ("...ab...,bc->...ac...", 3, None),
        ("ab,bc->ad", 3, None),
        ("ab,cd->ac", 3, None),
        ("ab,bc->abc", (7, 3), None),
        ("ab,bc->ac", 3, "b"),
    ],
)
def test_equations_that_do_not_fit_are_refused_in_the_words_of_keras(
    keras, equation, output, bias
):
    words = []
    for room in (layers, keras.layers):
        with pytest.raises(ValueError) as error:  # noqa: PT011 - words are compared
            room.EinsumDense(equation, output, bias_axes=bias).build((2, 3))
        words.append(str(error.value))
    assert words[0].replace("weight spec 'bc'", "weight spec 'ad'") == words[1]
