"""tf.nn: argument names, orders and formats, against NumPy written out."""

import numpy as np
import pytest
from scipy import special

import minikeras.engine as tf
from minikeras.engine import nn

rng = np.random.default_rng(5)
X = rng.normal(size=(4, 3))
LOGITS = rng.normal(size=(4, 3))
LABELS = special.softmax(rng.normal(size=(4, 3)), 1)
IMAGES = rng.normal(size=(2, 6, 5, 3))
FILTER = rng.normal(size=(3, 2, 3, 4))


def convolved(x, w, stride=1, dilation=1):
    """Return the convolution ("valid") of images, one element at a time."""
    taps = [dilation * (n - 1) + 1 for n in w.shape[:2]]
    sizes = [(n - t) // stride + 1 for n, t in zip(x.shape[1:3], taps, strict=True)]
    y = np.zeros((len(x), *sizes, w.shape[3]))
    for i, j in np.ndindex(*sizes):
        rows = slice(i * stride, i * stride + taps[0], dilation)
        columns = slice(j * stride, j * stride + taps[1], dilation)
        y[:, i, j] = np.einsum("nabc,abcd->nd", x[:, rows, columns], w)
    return y


def pooled(x, size, function):
    n, h, w, c = x.shape
    return function(x.reshape(n, h // size, size, w // size, size, c), axis=(2, 4))


def nchw(x):
    return np.moveaxis(x, -1, 1)


SQUARE = IMAGES[:, :6, :4]
SAME = np.pad(IMAGES, [(0, 0), (1, 1), (0, 1), (0, 0)])

CASES = {
    "relu": (lambda: tf.nn.relu(X), np.maximum(X, 0)),
    "relu-named": (lambda: tf.nn.relu(features=X), np.maximum(X, 0)),
    "relu6": (lambda: tf.nn.relu6(9 * X), np.clip(9 * X, 0, 6)),
    "leaky_relu": (lambda: tf.nn.leaky_relu(X), np.where(X > 0, X, 0.2 * X)),
    "leaky_relu-alpha": (
        lambda: tf.nn.leaky_relu(X, alpha=0.5),
        np.where(X > 0, X, 0.5 * X),
    ),
    "elu": (lambda: tf.nn.elu(X), np.where(X > 0, X, np.expm1(X))),
    "selu": (
        lambda: tf.nn.selu(X),
        1.05070098 * np.where(X > 0, X, 1.67326324 * np.expm1(X)),
    ),
    "crelu": (
        lambda: tf.nn.crelu(X),
        np.concatenate([np.maximum(X, 0), np.maximum(-X, 0)], -1),
    ),
    "sigmoid": (lambda: tf.nn.sigmoid(X), special.expit(X)),
    "tanh": (lambda: tf.nn.tanh(X), np.tanh(X)),
    "softplus": (lambda: tf.nn.softplus(X), np.log1p(np.exp(X))),
    "softsign": (lambda: tf.nn.softsign(X), X / (1 + np.abs(X))),
    "softmax": (lambda: tf.nn.softmax(LOGITS), special.softmax(LOGITS, -1)),
    "softmax-old": (
        lambda: tf.nn.softmax(logits=LOGITS, dim=0),
        special.softmax(LOGITS, 0),
    ),
    "log_softmax": (
        lambda: tf.nn.log_softmax(LOGITS, axis=0),
        special.log_softmax(LOGITS, 0),
    ),
    "softmax_cross_entropy_with_logits": (
        lambda: tf.nn.softmax_cross_entropy_with_logits(labels=LABELS, logits=LOGITS),
        -(LABELS * special.log_softmax(LOGITS, 1)).sum(1),
    ),
    "softmax_cross_entropy_with_logits_v2": (
        lambda: tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=LABELS.T, logits=LOGITS.T, axis=0
        ),
        -(LABELS * special.log_softmax(LOGITS, 1)).sum(1),
    ),
    "sparse_softmax_cross_entropy_with_logits": (
        lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=[2, 0, 1, 1], logits=LOGITS
        ),
        -special.log_softmax(LOGITS, 1)[np.arange(4), [2, 0, 1, 1]],
    ),
    "sigmoid_cross_entropy_with_logits": (
        lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=LABELS, logits=LOGITS),
        -LABELS * special.log_expit(LOGITS) - (1 - LABELS) * special.log_expit(-LOGITS),
    ),
    "l2_loss": (lambda: tf.nn.l2_loss(X), (X**2).sum() / 2),
    "l2_normalize": (
        lambda: tf.nn.l2_normalize(X, 1),
        X / np.linalg.norm(X, axis=1, keepdims=True),
    ),
    "l2_normalize-old": (
        lambda: tf.nn.l2_normalize(X, dim=0),
        X / np.linalg.norm(X, axis=0),
    ),
    "moments": (lambda: tf.nn.moments(X, axes=[0]), [X.mean(0), X.var(0)]),
    "moments-old": (
        lambda: tf.nn.moments(X, [1], keep_dims=True),
        [X.mean(1, keepdims=True), X.var(1, keepdims=True)],
    ),
    "batch_normalization": (
        lambda: tf.nn.batch_normalization(X, X.mean(0), X.var(0), 2.0, 3.0, 0.01),
        3 * (X - X.mean(0)) / np.sqrt(X.var(0) + 0.01) + 2,
    ),
    "batch_normalization-plain": (
        lambda: tf.nn.batch_normalization(X, X.mean(0), X.var(0), None, None, 0.01),
        (X - X.mean(0)) / np.sqrt(X.var(0) + 0.01),
    ),
    "bias_add": (
        lambda: tf.nn.bias_add(X, bias=[1.0, 2.0, 3.0]),
        X + np.array([1, 2, 3]),
    ),
    "bias_add-first": (
        lambda: tf.nn.bias_add(nchw(IMAGES), [1.0, 2.0, 3.0], data_format="NCHW"),
        nchw(IMAGES + np.array([1, 2, 3])),
    ),
    "xw_plus_b": (lambda: tf.nn.xw_plus_b(X, X.T, X[:, 0]), X @ X.T + X[:, 0]),
    "embedding_lookup": (
        lambda: tf.nn.embedding_lookup(X, [[1, 0], [3, 3]]),
        X[[[1, 0], [3, 3]]],
    ),
    "embedding_lookup-list": (lambda: tf.nn.embedding_lookup([X], ids=[1]), X[[1]]),
    "top_k": (
        lambda: tf.nn.top_k(X, k=2),
        [-np.sort(-X, 1)[:, :2], np.argsort(-X, 1)[:, :2].astype("int32")],
    ),
    "in_top_k": (
        lambda: tf.nn.in_top_k(X, targets=[0, 1, 2, 0], k=1),
        X.argmax(1) == [0, 1, 2, 0],
    ),
    "zero_fraction": (
        lambda: tf.nn.zero_fraction([0.0, 1.0, 0.0, 0.0]),
        np.float32(0.75),
    ),
    "dropout": (lambda: tf.nn.dropout(X, 1.0), X),
    "conv1d": (
        lambda: tf.nn.conv1d(IMAGES[:, 0], FILTER[0], stride=2, padding="VALID"),
        convolved(IMAGES[:, :1], FILTER[:1])[:, 0, ::2],
    ),
    "conv2d": (
        lambda: tf.nn.conv2d(IMAGES, FILTER, strides=[1, 1, 1, 1], padding="VALID"),
        convolved(IMAGES, FILTER),
    ),
    "conv2d-strides": (
        lambda: tf.nn.conv2d(
            IMAGES, filter=FILTER, strides=[1, 2, 2, 1], padding="VALID"
        ),
        convolved(IMAGES, FILTER, 2),
    ),
    "conv2d-same": (
        lambda: tf.nn.conv2d(input=IMAGES, filter=FILTER, strides=1, padding="SAME"),
        convolved(SAME, FILTER),
    ),
    "conv2d-dilated": (
        lambda: tf.nn.conv2d(
            IMAGES, FILTER, [1, 1, 1, 1], "VALID", dilations=[1, 2, 2, 1]
        ),
        convolved(IMAGES, FILTER, 1, 2),
    ),
    "conv2d-first": (
        lambda: tf.nn.conv2d(
            nchw(IMAGES), FILTER, [1, 1, 2, 2], "VALID", data_format="NCHW"
        ),
        nchw(convolved(IMAGES, FILTER, 2)),
    ),
    "conv3d": (
        lambda: tf.nn.conv3d(IMAGES[:, None], FILTER[None], [1] * 5, "VALID"),
        convolved(IMAGES, FILTER)[:, None],
    ),
    "depthwise_conv2d": (
        lambda: tf.nn.depthwise_conv2d(IMAGES, FILTER, [1, 1, 1, 1], "VALID"),
        np.concatenate(
            [
                convolved(IMAGES[..., c : c + 1], FILTER[:, :, c : c + 1])
                for c in range(3)
            ],
            -1,
        ),
    ),
    "max_pool": (
        lambda: tf.nn.max_pool(
            SQUARE, [1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"
        ),
        pooled(SQUARE, 2, np.max),
    ),
    "max_pool-first": (
        lambda: tf.nn.max_pool(
            nchw(SQUARE), [1, 1, 2, 2], [1, 1, 2, 2], "VALID", data_format="NCHW"
        ),
        nchw(pooled(SQUARE, 2, np.max)),
    ),
    "avg_pool": (
        lambda: tf.nn.avg_pool(value=SQUARE, ksize=2, strides=2, padding="VALID"),
        pooled(SQUARE, 2, np.mean),
    ),
}

ELSEWHERE = {"conv2d_transpose"}


def test_every_function_has_a_case():
    assert {name.partition("-")[0] for name in CASES} | ELSEWHERE == {*nn.__all__}


@pytest.mark.parametrize("name", CASES)
def test_a_function_is_lazy_and_right(name):
    call, expected = CASES[name]
    with tf.Graph().as_default(), tf.Session() as session:
        built = call()
        outputs = built if isinstance(built, (list, tuple)) else [built]
        assert all(isinstance(y, tf.Tensor) for y in outputs)
        values = session.run(list(outputs))
    wanted = expected if isinstance(expected, list) else [expected]
    for y, value, right in zip(outputs, values, wanted, strict=True):
        assert value.dtype == np.asarray(right).dtype
        assert y.spec.admits(np.shape(value))
        np.testing.assert_allclose(value, right, rtol=1e-6, atol=1e-6)


@pytest.fixture
def session():
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        yield session


def test_a_transposed_convolution_is_the_gradient_of_a_convolution(session):
    x = tf.constant(IMAGES)
    y = tf.nn.conv2d(x, FILTER, [1, 2, 2, 1], "SAME")
    g = tf.ones_like(y)
    (slope,) = tf.gradients(y, x, g)
    back = tf.nn.conv2d_transpose(g, FILTER, [2, 6, 5, 3], [1, 2, 2, 1])
    np.testing.assert_allclose(*session.run([slope, back]))


def test_what_is_not_supported_says_so():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="one piece"):
            tf.nn.embedding_lookup([X, X], [1])
        with pytest.raises(ValueError, match="NHWC"):
            tf.nn.conv2d_transpose(X, X, [1], 1, data_format="NCHW")


def test_cross_entropies_must_be_called_with_names():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="labels= and logits="):
            tf.nn.softmax_cross_entropy_with_logits(LOGITS)
        with pytest.raises(TypeError):
            tf.nn.softmax_cross_entropy_with_logits(LOGITS, LABELS)


def test_gradients_flow_into_labels_only_in_version_2(session):
    labels = tf.constant(LABELS)
    old = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=LOGITS)
    new = tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=LOGITS)
    assert tf.gradients(old, labels) == [None]
    (slope,) = tf.gradients(new, labels)
    np.testing.assert_allclose(
        session.run(slope), -special.log_softmax(LOGITS, 1), rtol=1e-6
    )


def test_dropout_scales_what_it_keeps(session):
    x = tf.ones((200, 100))
    value = session.run(tf.nn.dropout(x, keep_prob=0.8))
    assert set(value.flat) == {np.float32(0), np.float32(1.25)}
    assert value.mean() == pytest.approx(1, abs=0.02)
    value = session.run(tf.nn.dropout(x, rate=0.75))
    assert set(value.flat) == {0, 4}
    rows = session.run(tf.nn.dropout(x, 0.5, noise_shape=[200, 1]))
    assert (rows == rows[:, :1]).all()
    assert 0 < rows.mean() < 2
    for bad in (0.0, 1.5, -1.0):
        with pytest.raises(ValueError, match="keep_prob"):
            tf.nn.dropout(x, bad)
    with pytest.raises(ValueError, match="keep_prob, or rate"):
        tf.nn.dropout(x)


def test_dropout_keeps_the_shape_whatever_is_known_of_keep_prob(session):
    x, keep = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32)
    y = tf.nn.dropout(x, keep)
    assert y.shape == (None, 4)
    assert tf.layers.dense(y, 3).shape == (None, 3)
    found = session.run(y, {x: np.ones((50, 4)), keep: 0.5})
    assert set(np.unique(found)) == {0.0, 2.0}
    np.testing.assert_array_equal(
        session.run(y, {x: [[1, 2, 3, 4]], keep: 1.0})[0], [1, 2, 3, 4]
    )


def test_dropout_has_the_gradient_of_its_choice(session):
    x = tf.placeholder("float", (50,))
    y = tf.nn.dropout(x, tf.constant(0.5))
    (slope,) = tf.gradients(y, x)
    kept, factor = session.run([y, slope], {x: np.ones(50)})
    np.testing.assert_array_equal(kept, factor)
