"""All losses against Keras's own: functions, classes, configs."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import losses

RNG = np.random.default_rng(3)
BATCH, CLASSES = 6, 4


def probabilities(*shape):
    x = RNG.uniform(0.05, 1.0, shape)
    return (x / x.sum(-1, keepdims=True)).astype("float32")


def one_hot(labels):
    return np.eye(CLASSES, dtype="float32")[labels]


LABELS = RNG.integers(0, CLASSES, BATCH)
REAL = RNG.normal(size=(2, BATCH, CLASSES)).astype("float32")
SIGNS = np.sign(REAL[0])
BITS = (REAL[0] > 0).astype("float32")
P = probabilities(BATCH, CLASSES)
LOGITS = 3 * REAL[1]
LONG = RNG.normal(size=(2, 6, CLASSES)).astype("float32")
UNIT = REAL[0] / np.linalg.norm(REAL[0], axis=1, keepdims=True)

# Name of the class, its arguments, targets, predictions.
CASES = [
    ("MeanSquaredError", {}, *REAL),
    ("MeanAbsoluteError", {}, *REAL),
    ("MeanAbsolutePercentageError", {}, *REAL),
    ("MeanSquaredLogarithmicError", {}, *abs(REAL)),
    ("CosineSimilarity", {}, *REAL),
    ("CosineSimilarity", {"axis": 0}, *REAL),
    ("Huber", {}, *REAL),
    ("Huber", {"delta": 0.3}, *REAL),
    ("LogCosh", {}, 30 * REAL[0], REAL[1]),
    ("Hinge", {}, SIGNS, REAL[1]),
    ("Hinge", {}, BITS, REAL[1]),
    ("SquaredHinge", {}, SIGNS, REAL[1]),
    ("SquaredHinge", {}, BITS, REAL[1]),
    ("CategoricalHinge", {}, one_hot(LABELS), REAL[1]),
    ("KLDivergence", {}, probabilities(BATCH, CLASSES), P),
    ("Poisson", {}, RNG.poisson(2.0, (BATCH, CLASSES)).astype("float32"), P),
    ("BinaryCrossentropy", {}, BITS, P),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, LOGITS),
    ("BinaryCrossentropy", {"label_smoothing": 0.2, "axis": 0}, BITS, P),
    ("BinaryFocalCrossentropy", {}, BITS, P),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True}, BITS, P),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.0}, BITS, LOGITS),
    ("CategoricalCrossentropy", {}, one_hot(LABELS), P),
    ("CategoricalCrossentropy", {"from_logits": True}, one_hot(LABELS), LOGITS),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, one_hot(LABELS), P),
    ("CategoricalFocalCrossentropy", {}, one_hot(LABELS), P),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, one_hot(LABELS), LOGITS),
    ("SparseCategoricalCrossentropy", {}, LABELS, P),
    ("SparseCategoricalCrossentropy", {}, LABELS[:, None], P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, LABELS, P),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1}, LABELS - 1, P),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.3}, LABELS, P),
    ("CTC", {}, np.array([[1, 2, 2], [3, 1, 0]]), LONG),
    ("Circle", {}, np.array([0, 1, 0, 1, 1, 2]), UNIT),
    ("Circle", {"gamma": 2.0, "remove_diagonal": False}, LABELS, UNIT),
    ("Dice", {}, BITS, P),
    ("Dice", {"axis": (1,)}, BITS, P),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": 1}, BITS, P),
]
# Keras 3.15 has forgotten it in the list of what it can read.
UNKNOWN_TO_KERAS = {"CategoricalGeneralizedCrossEntropy"}
NAMES = sorted({name for name, *_ in CASES})
every_case = pytest.mark.parametrize(
    ("name", "kwargs", "y_true", "y_pred"),
    CASES,
    ids=[f"{i}-{name}" for i, (name, *_) in enumerate(CASES)],
)
TOLERANCE = {"rtol": 2e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def function_of(room, name):
    return getattr(room, getattr(losses, name).fn.__name__)


@every_case
def test_the_function_is_that_of_keras(keras, name, kwargs, y_true, y_pred):
    found = function_of(losses, name)(y_true, y_pred, **kwargs)
    wanted = function_of(keras.losses, name)(y_true, y_pred, **kwargs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, **TOLERANCE)


@every_case
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
def test_the_class_reduces_it_as_keras(keras, name, kwargs, y_true, y_pred, reduction):
    ours = getattr(losses, name)(reduction=reduction, **kwargs)
    theirs = getattr(keras.losses, name)(reduction=reduction, **kwargs)
    wanted = theirs(y_true, y_pred)
    found = ours(y_true, y_pred)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, **TOLERANCE)
    if np.shape(theirs.call(y_true, y_pred)) == (BATCH,):
        weights = np.arange(BATCH, dtype="float32")
        np.testing.assert_allclose(
            ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights), **TOLERANCE
        )


@every_case
def test_a_graph_computes_what_arrays_do(name, kwargs, y_true, y_pred):
    loss = getattr(losses, name)(**kwargs)
    inputs = [
        K.placeholder((None, *a.shape[1:]), dtype=str(a.dtype))
        for a in (y_true, y_pred)
    ]
    value = loss(*inputs)
    assert K.is_symbolic(value)
    assert value.shape == ()
    gradient = K.gradients(value, [inputs[1]])[0]
    found, slope = K.function(inputs, [value, gradient])([y_true, y_pred])
    np.testing.assert_allclose(found, loss(y_true, y_pred), rtol=1e-6)
    assert slope.shape == y_pred.shape
    assert np.isfinite(slope).all()


def arguments(function):
    found = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in found if p.kind != p.VAR_KEYWORD]


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    own = dict(arguments(ours))
    own["name"] = own["name"] or ours().name
    assert list(own.items()) == arguments(theirs)
    functions = (function_of(room, name) for room in (losses, keras.losses))
    assert arguments(next(functions)) == arguments(next(functions))


@every_case
def test_configs_go_both_ways(keras, name, kwargs, y_true, y_pred):
    ours = getattr(losses, name)(reduction="sum", name="mine", **kwargs)
    config = losses.serialize(ours)
    theirs = keras.losses.serialize(
        getattr(keras.losses, name)(reduction="sum", name="mine", **kwargs)
    )
    assert theirs["config"].items() <= config["config"].items()
    assert {**config, "config": None} == {**theirs, "config": None}
    again = losses.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    if name not in UNKNOWN_TO_KERAS:
        assert type(keras.losses.deserialize(config)).__name__ == name


def test_every_loss_of_keras_is_here(keras):
    theirs = {name for name in dir(keras.losses) if not name.startswith("_")}
    assert theirs <= set(losses.__all__)


def test_ctc_has_labels_and_logits():
    with pytest.raises(ValueError, match=r"y_true.shape=\(3,\)"):
        losses.ctc(np.zeros(3), LONG)
    with pytest.raises(ValueError, match=r"y_pred.shape=\(2, 3\)"):
        losses.ctc(np.zeros((2, 3)), np.zeros((2, 3)))


def test_circle_compares_with_references(keras):
    labels = np.array([0, 1, 1, 0])
    arguments = (LABELS % 2, UNIT, labels, UNIT[:4] * np.float32(0.9))
    found = losses.circle(*arguments, remove_diagonal=False)
    wanted = keras.losses.circle(*arguments, remove_diagonal=False)
    np.testing.assert_allclose(found, wanted, **TOLERANCE)


def test_generalized_cross_entropy_lies_between_two_losses():
    np.testing.assert_allclose(
        losses.categorical_generalized_cross_entropy(LABELS[:, None], P, 1e-3),
        losses.sparse_categorical_crossentropy(LABELS, P),
        rtol=2e-3,
    )
    with pytest.raises(ValueError, match="interval"):
        losses.CategoricalGeneralizedCrossEntropy(q=1.0)


class TestGet:
    @pytest.mark.parametrize("name", ["mse", "MSE", "mean_squared_error"])
    def test_by_name_a_function(self, name):
        assert losses.get(name) is losses.mean_squared_error

    def test_by_class_name_config_or_itself(self):
        assert isinstance(losses.get("Huber"), losses.Huber)
        config = {"class_name": "Huber", "config": {"delta": 3.0}}
        assert losses.get(config).delta == 3.0
        assert losses.get(None) is None
        loss = losses.Poisson()
        assert losses.get(loss) is loss
        assert isinstance(losses.get(losses.Poisson), losses.Poisson)

    def test_a_wrong_name_gets_a_hint(self):
        with pytest.raises(ValueError, match=r"loss identifier: 'ms'\. Did you mean"):
            losses.get("ms")

    def test_a_function_s_config_is_that_of_keras(self, keras):
        config = losses.serialize(losses.poisson)
        assert config == keras.losses.serialize(keras.losses.poisson)
        assert losses.deserialize(config) is losses.poisson
