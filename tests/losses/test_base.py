"""What all losses share: reductions, weights, masks, ranks, users' own losses."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import losses
from minikeras.backend.masking import set_mask
from minikeras.losses.base import squeeze_or_expand_to_same_rank

Y_TRUE = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 9.0]], "float32")
Y_PRED = np.array([[1.0, 1.0], [2.0, 5.0], [0.0, 3.0]], "float32")
EACH = np.array([0.5, 2.0, 26.0])  # mean squares, by hand
WEIGHTS = np.array([1.0, 0.0, 3.0], "float32")


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 28.5 / 3, 78.5 / 3),
        ("mean", 28.5 / 3, 78.5 / 3),
        ("mean_with_sample_weight", 28.5 / 3, 78.5 / 4),
        ("sum", 28.5, 78.5),
        ("none", EACH, EACH * WEIGHTS),
        (None, EACH, EACH * WEIGHTS),
    ],
)
def test_reductions(keras, reduction, plain, weighted):
    loss = losses.MeanSquaredError(reduction=reduction)
    theirs = keras.losses.MeanSquaredError(reduction=reduction)
    for weight, wanted in ((None, plain), (WEIGHTS, weighted)):
        np.testing.assert_allclose(loss(Y_TRUE, Y_PRED, weight), wanted)
        np.testing.assert_allclose(theirs(Y_TRUE, Y_PRED, weight), wanted)


def test_weights_broadcast():
    loss = losses.MeanSquaredError(reduction="sum")
    assert loss(Y_TRUE, Y_PRED, 2.0) == 57.0
    assert loss(Y_TRUE, Y_PRED, WEIGHTS[:, None]) == 78.5
    assert loss(Y_TRUE, Y_PRED, [1, 0, 3]) == 78.5


def test_lists_and_integers_are_welcome():
    loss = losses.MeanAbsoluteError()
    assert loss([1, 2], [3, 2]) == 1.0
    assert losses.mean_absolute_error([[1, 2]], [[3.0, 2.0]]) == 1.0


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
@pytest.mark.parametrize("weight", [None, WEIGHTS])
def test_a_mask_leaves_samples_out(keras, reduction, weight):
    mask = np.array([True, True, False])

    def run(backend, room, make):
        y_pred = make(Y_PRED)
        y_pred._keras_mask = make(mask)
        return room.MeanSquaredError(reduction=reduction)(Y_TRUE, y_pred, weight)

    wanted = run(keras.backend, keras.losses, keras.ops.convert_to_tensor)
    found = K.eval(run(K, losses, K.constant))
    np.testing.assert_allclose(found, wanted)
    by_hand = np.where(mask, EACH * (1 if weight is None else weight), 0)
    if reduction == "sum_over_batch_size":
        np.testing.assert_allclose(found, by_hand.sum() / 2)


def test_an_ignored_class_counts_nowhere():
    y_true, y_pred = np.array([0, 1, 2, 1]), np.full((4, 3), 1 / 3, "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=1)
    np.testing.assert_allclose(loss(y_true, y_pred), np.log(3), rtol=1e-6)
    each = losses.sparse_categorical_crossentropy(y_true, y_pred, ignore_class=1)
    np.testing.assert_allclose(each, np.log([3, 1, 3, 1]), rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "shapes"),
    [
        ((3,), (3,), ((3,), (3,))),
        ((3, 1), (3,), ((3, 1), (3, 1))),
        ((3,), (3, 1), ((3, 1), (3, 1))),
        ((3, 4, 1), (3, 4), ((3, 4), (3, 4))),
        ((3, 4), (3, 4, 1), ((3, 4), (3, 4))),
        ((3, 4), (3,), ((3, 4), (3,))),
        ((3, 1, 1), (3,), ((3, 1, 1), (3,))),
    ],
)
def test_ranks_that_differ_by_one_are_matched(keras, x, y, shapes):
    arrays = np.ones(x, "float32"), np.ones(y, "float32")
    found = squeeze_or_expand_to_same_rank(*arrays)
    assert tuple(a.shape for a in found) == shapes
    theirs = keras.src.losses.loss.squeeze_or_expand_to_same_rank(*arrays)
    assert tuple(a.shape for a in theirs) == shapes
    tensors = squeeze_or_expand_to_same_rank(K.placeholder(x), K.placeholder(y))
    assert tuple(tuple(t.shape) for t in tensors) == shapes


def test_dtype_is_that_of_the_loss():
    loss = losses.MeanSquaredError(dtype="float64")
    assert loss(Y_TRUE, Y_PRED).dtype == np.float64
    assert loss.get_config()["dtype"] == "float64"
    assert losses.MeanSquaredError.from_config(loss.get_config()).dtype == "float64"


def test_a_users_loss_needs_only_call():
    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return K.max(K.abs(y_true - y_pred), axis=-1)

    loss = Largest()
    assert loss.name == "largest"
    assert loss(Y_TRUE, Y_PRED) == 3.0
    assert Largest(reduction="sum")(Y_TRUE, Y_PRED, WEIGHTS) == 19.0


def test_a_function_can_be_wrapped_and_saved():
    def scaled(y_true, y_pred, factor=1.0):
        return factor * losses.mean_squared_error(y_true, y_pred)

    loss = losses.LossFunctionWrapper(scaled, name="scaled", factor=10.0)
    assert loss(Y_TRUE, Y_PRED) == 95.0
    with K.custom_object_scope({"scaled": scaled}):
        again = losses.deserialize(losses.serialize(loss))
    assert again(Y_TRUE, Y_PRED) == 95.0


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match=r"argument `reduction`.*reduction=average"):
        losses.MeanSquaredError(reduction="average")


def test_a_loss_without_call_says_so():
    with pytest.raises(NotImplementedError, match="Loss has no `call`"):
        losses.Loss()(Y_TRUE, Y_PRED)


def test_names_of_nodes_are_in_the_scope_of_the_loss():
    value = losses.MeanSquaredError(name="mine")(K.placeholder((2, 3)), Y_TRUE[:2, :1])
    assert value.name.startswith("mine/")


def test_masks_of_arrays_count_outside_of_models_too():
    y_true, y_pred = Y_TRUE[:3], Y_PRED[:3].copy()
    mask = np.array([True, False, True])
    set_mask(y_pred, mask)
    loss = losses.MeanSquaredError()
    want = np.mean(np.square(y_true - y_pred)[mask])
    np.testing.assert_allclose(loss(y_true, y_pred), want, rtol=1e-6)
    set_mask(y_pred, np.zeros(3, bool))
    assert loss(y_true, y_pred) == 0


@pytest.mark.parametrize(
    "loss, left_out",
    [
        (losses.Huber(), "delta"),
        (losses.CosineSimilarity(), "axis"),
        (losses.SparseCategoricalCrossentropy(), "axis"),
    ],
)
def test_configs_lack_what_keras_lacks_if_it_is_the_default(loss, left_out):
    assert left_out not in loss.get_config()
    other = type(loss)(**{left_out: 0.5 if left_out == "delta" else 1})
    again = type(loss).from_config(other.get_config())
    assert getattr(again, left_out) == getattr(other, left_out)
