"""Variable scopes: names, sharing, defaults."""

import numpy as np
import pytest

import minikeras.engine as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_a_variable_is_named_by_its_variable_scopes_alone():
    with tf.variable_scope("a"), tf.name_scope("n"), tf.variable_scope("b") as scope:
        v = tf.get_variable("v", [2])
        assert v.name == "a/b/v:0"
        assert scope.name == "a/b"
        assert scope.original_name_scope == "a/n/b/"
        assert (v + 1.0).name == "a/n/b/add:0"
        assert tf.Variable(1.0, name="w").name == "a/n/b/w:0"
    assert tf.get_variable("v", [2]).name == "v:0"


def test_sharing():
    def layer(x):
        w = tf.get_variable("w", [3, 2])
        return tf.matmul(x, w), w

    x = tf.ones((1, 3))
    with tf.variable_scope("layer"):
        first, w = layer(x)
    with tf.variable_scope("layer", reuse=True):
        second, same = layer(x)
    assert same is w
    assert tf.global_variables() == [w]
    assert first.name == "layer/MatMul:0"
    assert second.name == "layer_1/MatMul:0"
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(*session.run([first, second]))


def test_a_name_is_taken_once_unless_reused():
    with tf.variable_scope("a"):
        tf.get_variable("v", [2])
        with pytest.raises(
            ValueError, match=r"'a/v' exists already.*test_scopes.py:\d+"
        ):
            tf.get_variable("v", [2])
    with (
        tf.variable_scope("a", reuse=True),
        pytest.raises(ValueError, match="'a/w' does not exist"),
    ):
        tf.get_variable("w", [2])


def test_a_shared_variable_must_be_what_is_asked_for():
    tf.get_variable("v", [2])
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        assert tf.get_variable("v").shape == (2,)
        assert tf.get_variable("v", 2).shape == (2,)
        with pytest.raises(ValueError, match=r"has shape \(2,\); asked for .* \(3,\)"):
            tf.get_variable("v", [3])
        with pytest.raises(ValueError, match="is of float32; asked for as int32"):
            tf.get_variable("v", [2], dtype=tf.int32)


def test_auto_reuse_makes_and_shares():
    made = []
    for _ in range(2):
        with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
            made.append(tf.get_variable("v", [2]))
    assert made[0] is made[1]


def test_reuse_holds_for_scopes_inside():
    with tf.variable_scope("a"), tf.variable_scope("b"):
        v = tf.get_variable("v", [2])
    with tf.variable_scope("a", reuse=True):
        with tf.variable_scope("b"):
            assert tf.get_variable("v", [2]) is v
        with tf.variable_scope("b", reuse=False):
            assert tf.get_variable("v", [2]) is v


def test_reuse_variables_turns_sharing_on():
    with tf.variable_scope("a") as scope:
        v = tf.get_variable("v", [2])
        scope.reuse_variables()
        assert tf.get_variable("v", [2]) is v
        tf.get_variable_scope().reuse_variables()
    with tf.variable_scope("a"), pytest.raises(ValueError, match="exists already"):
        tf.get_variable("v", [2])


def test_a_scope_can_be_entered_again():
    with tf.variable_scope("a") as scope:
        v = tf.get_variable("v", [2])
    with tf.variable_scope("elsewhere"):
        with tf.variable_scope(scope, reuse=True) as again:
            assert tf.get_variable("v", [2]) is v
            assert again.name == "a"
            assert tf.constant(1.0).name == "elsewhere/a/Const:0"
        with tf.variable_scope(scope):
            assert tf.get_variable("w", [2]).name == "a/w:0"
    assert scope.global_variables() == scope.trainable_variables()
    assert [v.name for v in scope.global_variables()] == ["a/v:0", "a/w:0"]


def test_defaults_of_a_scope():
    init = tf.constant_initializer(4.0)
    with tf.variable_scope("a", initializer=init, dtype=tf.float64):
        with tf.variable_scope("b"):
            v = tf.get_variable("v", [2])
        w = tf.get_variable("w", [2], initializer=tf.zeros_initializer, dtype="float32")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        np.testing.assert_array_equal(session.run(v), [4, 4])
        np.testing.assert_array_equal(session.run(w), [0, 0])
    assert (v.dtype, w.dtype) == ("float64", "float32")


def test_a_default_name_counts_up():
    names = []
    for _ in range(2):
        with tf.variable_scope("outer", reuse=tf.AUTO_REUSE):
            for _ in range(2):
                with tf.variable_scope(None, "inner"):
                    names.append(tf.get_variable("v", [1]).name)
    assert names == ["outer/inner/v:0", "outer/inner_1/v:0"] * 2
    with pytest.raises(ValueError, match="needs a name"), tf.variable_scope(None):
        pass


def test_initial_values():
    made = [
        tf.get_variable("a", initializer=3.0),
        tf.get_variable("b", initializer=np.array([1, 2])),
        tf.get_variable("c", initializer=tf.constant([1.0]) * 2.0),
        tf.get_variable(
            "d", [2], initializer=lambda shape, dtype: tf.ones(shape, dtype)
        ),
        tf.get_variable("e", [2], dtype=tf.int32),
        tf.get_variable("f", initializer=lambda: tf.zeros(3)),
        tf.get_variable("g", [], initializer=tf.ones_initializer),
        tf.get_variable("h", 3, initializer=tf.constant_initializer([1, 2, 3])),
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        values = session.run(made)
    expected = [3, [1, 2], [2], [1, 1], [0, 0], [0, 0, 0], 1, [1, 2, 3]]
    for value, wanted in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert values[4].dtype == np.int32
    with pytest.raises(ValueError, match="has an initial value"):
        tf.get_variable("x", [1], initializer=np.array([1.0]))
    with pytest.raises(ValueError, match="not known"):
        tf.get_variable("y", [None, 1])


def test_the_default_is_glorots_uniform():
    w = tf.get_variable("w", [300, 100])
    with tf.Session() as session:
        session.run(w.initializer)
        value = session.run(w)
    limit = np.sqrt(6 / 400)
    assert np.abs(value).max() <= limit
    assert value.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_regularizers_are_collected():
    def penalty(v):
        return 0.5 * tf.reduce_sum(tf.square(v))

    with tf.variable_scope("a", regularizer=penalty):
        tf.get_variable("v", initializer=[1.0, 2.0])
    tf.get_variable("w", initializer=3.0, regularizer=lambda v: None)
    (loss,) = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert loss.name.startswith("a/v/Regularizer/")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(loss) == 2.5


def test_collections_and_trainability():
    v = tf.get_variable("v", [1], trainable=False)
    w = tf.get_variable("w", [1], collections=["mine"], trainable=False)
    assert tf.trainable_variables() == []
    assert tf.global_variables() == [v]
    assert tf.get_collection("mine") == [w]
