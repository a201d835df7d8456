"""`K.rnn` against Keras 3's on JAX, and against a loop written out."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine import tree

rng = np.random.default_rng(5)
STEPS, BATCH, WIDTH, UNITS = 4, 3, 2, 5
X = rng.normal(size=(BATCH, STEPS, WIDTH)).astype("float32")
W = rng.normal(size=(WIDTH, UNITS)).astype("float32")
U = rng.normal(size=(UNITS, UNITS)).astype("float32") / 2
H = rng.normal(size=(BATCH, UNITS)).astype("float32")
MASK = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [1, 0, 0, 1]], bool)


def step(x, states):
    """Two states, of which the first is the output."""
    h = K.tanh(K.dot(x, W) + K.dot(states[0], U))
    return h, [h, states[1] * 0.5 + h]


def keras_step(x, states):
    import keras

    h = keras.ops.tanh(x @ W + states[0] @ U)
    return h, [h, states[1] * 0.5 + h]


def theirs(**kwargs):
    import keras

    if "mask" in kwargs:
        kwargs["mask"] = keras.ops.convert_to_tensor(kwargs["mask"])
    x = keras.ops.convert_to_tensor(X)
    states = [keras.ops.convert_to_tensor(s) for s in (H, H)]
    found = keras.src.backend.rnn(keras_step, x, states, **kwargs)
    return keras.tree.map_structure(np.asarray, tree.flatten(found))


def ours(x, states, **kwargs):
    return tree.flatten(K.rnn(step, x, states, **kwargs))


def in_graph(unknown, **kwargs):
    shape = (None, None, WIDTH) if unknown else X.shape
    x, h = K.placeholder(shape), K.placeholder(H.shape)
    return K.function([x, h], ours(x, [h, h], **kwargs))([X, H])


def close(found, wanted):
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"go_backwards": True},
        {"mask": MASK},
        {"mask": MASK, "go_backwards": True},
        {"mask": MASK[:, :, None]},
        {"mask": MASK, "zero_output_for_mask": True},
    ],
    ids=lambda kwargs: "-".join(kwargs) or "plain",
)
def test_rnn_is_that_of_keras(kwargs, unroll):
    wanted = theirs(
        **kwargs
    )  # their unrolled form differs where the mask starts with 0
    close(ours(X, [H, H], unroll=unroll, **kwargs), wanted)
    close(in_graph(False, unroll=unroll, **kwargs), wanted)
    if not unroll:
        close(in_graph(True, **kwargs), wanted)


def test_steps_may_come_first():
    wanted = ours(X, [H, H])
    found = ours(X.swapaxes(0, 1), [H, H], time_major=True)
    close([found[0], found[1].swapaxes(0, 1), *found[2:]], wanted)


def test_only_the_last_output_may_be_kept():
    last, outputs, *_ = ours(X, [H, H], return_all_outputs=False)
    assert outputs.shape == (BATCH, 1, UNITS)
    np.testing.assert_array_equal(outputs[:, 0], last)


def test_constants_follow_the_states():
    def scaled(x, states):
        h, factor = states
        return h * factor, [h + K.sum(x, 1, keepdims=True)]

    factor = np.float32(3)
    last, _, (h,) = K.rnn(scaled, X, [H], constants=[factor])
    np.testing.assert_allclose(h, H + X.sum((1, 2))[:, None], rtol=1e-5)
    np.testing.assert_allclose(last, (h - X[:, -1].sum(1)[:, None]) * 3, rtol=1e-4)


def test_inputs_and_outputs_may_be_nested():
    def pair(x, states):
        return {"sum": x[0] + x[1], "state": states[0]}, [states[0] + x[0]]

    last, outputs, _ = K.rnn(pair, (X, 2 * X), [np.zeros((BATCH, WIDTH), "float32")])
    np.testing.assert_allclose(outputs["sum"], 3 * X, rtol=1e-6)
    np.testing.assert_allclose(last["state"], X[:, :-1].sum(1), rtol=1e-5)


def test_outputs_of_stacked_cells_repeat_that_of_the_last_cell():
    def stacked(x, states):
        (a,), (b,) = states
        return b + 1, [[a + 1], [b + 1]]

    zeros = [[np.zeros((BATCH, 1), "float32")], [np.full((BATCH, 1), 7, "float32")]]
    _, outputs, _ = K.rnn(stacked, X, zeros, mask=MASK)
    expected = [[8, 9, 9, 9], [7, 8, 9, 10], [8, 8, 8, 9]]
    np.testing.assert_array_equal(outputs[..., 0], expected)


def test_images_can_be_masked_too():
    def add(x, states):
        h = states[0] + x
        return h, [h]

    x = rng.normal(size=(BATCH, STEPS, 2, 2, 1)).astype("float32")
    _, outputs, _ = K.rnn(add, x, [np.zeros((BATCH, 2, 2, 1), "float32")], mask=MASK)
    np.testing.assert_allclose(
        outputs, (x * MASK[..., None, None, None]).cumsum(1), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("unroll", [False, True])
def test_gradients_flow_through_time(unroll):
    x = K.placeholder(X.shape)
    w = K.variable(U)

    def plain(x, states):
        h = K.tanh(K.dot(x, W) + K.dot(states[0], w))
        return h, [h]

    last, _, _ = K.rnn(plain, x, [H], unroll=unroll)
    slope = K.function([x], K.gradients(K.sum(last), [w, x]))([X])

    def loss(u, x):
        h = H.astype("float64")
        for t in range(STEPS):
            h = np.tanh(x[:, t] @ W.astype("float64") + h @ u)
        return h.sum()

    for i, point in enumerate((U, X)):
        way = rng.normal(size=point.shape)
        args = [U.astype("float64"), X.astype("float64")]
        ends = []
        for sign in (1, -1):
            moved = list(args)
            moved[i] = moved[i] + sign * 1e-6 * way
            ends.append(loss(*moved))
        wanted = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose((slope[i] * way).sum(), wanted, rtol=1e-4)


def test_unrolling_needs_a_number_of_steps():
    with pytest.raises(ValueError, match="number of steps"):
        K.rnn(step, K.placeholder((BATCH, None, WIDTH)), [H, H], unroll=True)
