"""tf.layers: variables' names and shapes, sharing, formulas."""

import numpy as np
import pytest

import minikeras.engine as tf

rng = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


def shapes():
    return {v.op.name: tuple(v.shape) for v in tf.global_variables()}


def test_dense(session):
    x = rng.normal(size=(4, 3)).astype("float32")
    y = tf.layers.dense(x, 2, activation=tf.nn.relu)
    z = tf.layers.dense(y, 5, use_bias=False, name="out")
    assert shapes() == {
        "dense/kernel": (3, 2),
        "dense/bias": (2,),
        "out/kernel": (2, 5),
    }
    assert y.name == "dense/Relu:0"
    assert z.name == "out/MatMul:0"
    session.run(tf.global_variables_initializer())
    kernel, bias, found = session.run(["dense/kernel:0", "dense/bias:0", y])
    np.testing.assert_array_equal(bias, [0, 0])
    np.testing.assert_allclose(found, np.maximum(x @ kernel, 0), rtol=1e-5)


def test_dense_of_more_axes(session):
    x = tf.placeholder("float64", (None, 4, 3))
    y = tf.layers.dense(x, 2, bias_initializer=tf.ones_initializer())
    assert y.shape == (None, 4, 2)
    assert y.dtype == "float64"
    session.run(tf.global_variables_initializer())
    data = rng.normal(size=(5, 4, 3))
    kernel, found = session.run(["dense/kernel:0", y], {x: data})
    np.testing.assert_allclose(found, data @ kernel + 1)


def test_layers_count_up_and_share_by_name():
    x = tf.placeholder("float", (None, 3))
    tf.layers.dense(x, 2)
    tf.layers.dense(x, 2)
    tf.layers.dense(x, 2, name="mine")
    tf.layers.dense(x, 2, name="mine", reuse=True)
    with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
        tf.layers.dense(x, 2)
    with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
        tf.layers.dense(x, 2)
    scopes = {name.rpartition("/")[0] for name in shapes()}
    assert scopes == {"dense", "dense_1", "mine", "net/dense"}
    with pytest.raises(ValueError, match="exists already"):
        tf.layers.dense(x, 2, name="mine")


def test_the_number_of_inputs_must_be_known():
    with pytest.raises(
        ValueError, match=r"dense: the size of axis -1 .* \(None, None\)"
    ):
        tf.layers.dense(tf.placeholder("float", (None, None)), 2)
    with pytest.raises(ValueError, match=r"dense: .* <unknown>"):
        tf.layers.dense(tf.placeholder("float"), 2)


def test_penalties_are_collected(session):
    def half(v):
        return 0.5 * tf.reduce_sum(v)

    x = tf.ones((1, 2))
    tf.layers.dense(
        x,
        3,
        kernel_initializer=tf.ones_initializer(),
        bias_initializer=tf.ones_initializer(),
        kernel_regularizer=half,
        bias_regularizer=half,
        activity_regularizer=half,
    )
    session.run(tf.global_variables_initializer())
    losses = tf.losses.get_regularization_losses()
    assert sorted(session.run(losses)) == [1.5, 3, 4.5]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv2d(session, data_format):
    last = rng.normal(size=(2, 7, 6, 3)).astype("float32")
    first = data_format == "channels_first"
    x = np.moveaxis(last, -1, 1) if first else last
    y = tf.layers.conv2d(
        tf.constant(x),
        4,
        [3, 2],
        strides=2,
        padding="same",
        data_format=data_format,
        activation=tf.nn.tanh,
        bias_initializer=tf.constant_initializer([0.1, 0.2, 0.3, 0.4]),
    )
    assert shapes() == {"conv2d/kernel": (3, 2, 3, 4), "conv2d/bias": (4,)}
    expected = tf.tanh(
        tf.nn.conv2d(last, tf.global_variables()[0], [1, 2, 2, 1], "SAME")
        + tf.global_variables()[1]
    )
    session.run(tf.global_variables_initializer())
    found, wanted = session.run([y, expected])
    found = np.moveaxis(found, 1, -1) if first else found
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert wanted.shape == (2, 4, 3, 4)


def test_pooling_and_flatten(session):
    x = np.arange(32.0).reshape(2, 4, 4, 1)
    blocks = x.reshape(2, 2, 2, 2, 2)
    largest = tf.layers.max_pooling2d(x, 2, 2)
    mean = tf.layers.average_pooling2d(x, (2, 2), (2, 2), padding="same")
    flat = tf.layers.flatten(largest)
    assert flat.shape == (2, 4)
    assert largest.name == "max_pooling2d/MaxPool:0"
    values = session.run([largest, mean, flat])
    np.testing.assert_array_equal(values[0][..., 0], blocks.max((2, 4)))
    np.testing.assert_array_equal(values[1][..., 0], blocks.mean((2, 4)))
    np.testing.assert_array_equal(values[2], blocks.max((2, 4)).reshape(2, -1))
    open_batch = tf.layers.flatten(tf.placeholder("float", (None, 3, 4)))
    assert open_batch.shape == (None, 12)


def test_dropout_only_in_training(session):
    x = tf.ones((100, 10))
    training = tf.placeholder(tf.bool)
    by_tensor = tf.layers.dropout(x, 0.4, training=training)
    np.testing.assert_array_equal(
        session.run(tf.layers.dropout(x, 0.4)), np.ones((100, 10))
    )
    np.testing.assert_array_equal(
        session.run(by_tensor, {training: False}), np.ones((100, 10))
    )
    for y in (by_tensor, tf.layers.dropout(x, 0.4, training=True)):
        value = session.run(y, {training: True})
        np.testing.assert_allclose(sorted(set(value.flat)), [0, 1 / 0.6], rtol=1e-6)


@pytest.mark.parametrize("symbolic", [False, True])
def test_batch_normalization(session, symbolic):
    data = rng.normal(2.0, 3.0, size=(50, 4))
    x = tf.placeholder("float64", (None, 4))
    flag = tf.placeholder(tf.bool) if symbolic else True
    feed = {flag: True} if symbolic else {}
    y = tf.layers.batch_normalization(x, training=flag, momentum=0.8)
    assert shapes() == {
        f"batch_normalization/{name}": (4,)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    assert len(tf.trainable_variables()) == 2
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert len(updates) == 2
    session.run(tf.global_variables_initializer())
    found, _ = session.run([y, updates], {x: data, **feed})
    expected = (data - data.mean(0)) / np.sqrt(data.var(0) + 1e-3)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    mean, variance = session.run(tf.global_variables()[2:])
    np.testing.assert_allclose(mean, 0.2 * data.mean(0), rtol=1e-9)
    np.testing.assert_allclose(variance, 0.8 + 0.2 * data.var(0), rtol=1e-9)
    if symbolic:
        found, _ = session.run([y, updates], {x: data, flag: False})
        expected = (data - mean) / np.sqrt(variance + 1e-3)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_array_equal(session.run(tf.global_variables()[2]), mean)


def test_batch_normalization_at_inference_has_no_updates(session):
    x = tf.ones((2, 3, 4))
    y = tf.layers.batch_normalization(x, axis=1, center=False, scale=False)
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == []
    assert {name: s for name, s in shapes().items() if s != (3,)} == {}
    session.run(tf.global_variables_initializer())
    np.testing.assert_allclose(
        session.run(y), np.ones((2, 3, 4)) / np.sqrt(1.001), rtol=1e-6
    )


def test_a_small_network_of_layers_learns(session):
    tf.set_random_seed(2)
    images = rng.normal(size=(64, 8, 8, 1)).astype("float32")
    bright = images[:, :4].mean((1, 2, 3)) > images[:, 4:].mean((1, 2, 3))
    x = tf.placeholder("float", (None, 8, 8, 1))
    t = tf.placeholder("int32", (None,))
    training = tf.placeholder(tf.bool)
    h = tf.layers.conv2d(x, 8, 3, activation=tf.nn.relu, padding="same")
    h = tf.layers.batch_normalization(h, training=training)
    h = tf.layers.max_pooling2d(h, 2, 2)
    h = tf.layers.dropout(tf.layers.flatten(h), 0.2, training=training)
    loss = tf.losses.sparse_softmax_cross_entropy(t, tf.layers.dense(h, 2))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.AdamOptimizer(0.01).minimize(loss)
    session.run(tf.global_variables_initializer())
    feed = {x: images, t: bright, training: True}
    first, *_, last = (session.run([loss, step], feed)[0] for _ in range(60))
    assert last < 0.3 * first
