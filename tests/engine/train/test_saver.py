"""Checkpoints: what is saved comes back, whole or not at all."""

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import (
    DTypeError,
    NotFoundError,
    ShapeError,
    UninitializedError,
)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def model():
    with tf.name_scope("dense"):
        kernel = tf.Variable([[1.0, 2.0]], name="kernel")
    return kernel, tf.Variable(np.int64(3), name="count")


def test_a_round_trip(tmp_path):
    kernel, count = model()
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run([kernel.assign([[5.0, 6.0]]), count.assign(9)])
        path = saver.save(session, tmp_path / "model")
    assert path == str(tmp_path / "model")
    with tf.Session() as session:
        saver.restore(session, path)
        np.testing.assert_array_equal(session.run(kernel), [[5, 6]])
        assert session.run(count) == 9
        assert session.run(count).dtype == np.int64
        session.run(kernel.assign_add([[1.0, 1.0]]))


def test_the_file_is_a_plain_npz(tmp_path):
    model()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(tmp_path / "model"))
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        assert sorted(archive) == ["count", "dense/kernel"]
        np.testing.assert_array_equal(archive["dense/kernel"], [[1, 2]])


def test_another_program_restores_by_name(tmp_path):
    model()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, tmp_path / "model")
    with tf.Graph().as_default(), tf.Session() as session:
        weights = tf.Variable(np.zeros((1, 2)), name="weights")
        tf.train.Saver({"dense/kernel": weights}).restore(session, path)
        value = session.run(weights)
        assert value.dtype == np.float64
        np.testing.assert_array_equal(value, [[1, 2]])


def test_names_and_values_of_any_kind(tmp_path):
    made = [
        tf.Variable("text", name="file"),
        tf.Variable([True, False], name="allow_pickle"),
        tf.Variable(np.zeros((0, 3)), name="a/b/c"),
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, tmp_path / "model")
    with tf.Session() as session:
        tf.train.Saver().restore(session, path)
        text, flags, nothing = session.run(made)
    assert text == "text"
    np.testing.assert_array_equal(flags, [True, False])
    assert nothing.shape == (0, 3)


def test_the_newest_checkpoints_are_kept(tmp_path):
    _, count = model()
    saver = tf.train.Saver(max_to_keep=2)
    assert tf.train.latest_checkpoint(tmp_path) is None
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for step in (1, 2, 3):
            session.run(count.assign(step))
            path = saver.save(session, tmp_path / "model", global_step=count)
            assert path == str(tmp_path / f"model-{step}")
        saver.save(session, tmp_path / "model", global_step=3)
    assert saver.last_checkpoints == [str(tmp_path / f"model-{i}") for i in (2, 3)]
    assert tf.train.latest_checkpoint(tmp_path) == path
    assert tf.train.checkpoint_exists(path)
    assert not tf.train.checkpoint_exists(tmp_path / "model-1")
    with tf.Session() as session:
        saver.restore(session, tf.train.latest_checkpoint(tmp_path))
        assert session.run(count) == 3


def test_a_save_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    _, count = model()
    saver = tf.train.Saver()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = saver.save(session, tmp_path / "model")
        session.run(count.assign(7))

        def fail(*args, **kwargs):
            raise OSError("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(np.lib.format, "write_array", fail)
            with pytest.raises(OSError, match="disk full"):
                saver.save(session, tmp_path / "model")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", "model.npz"]
    with tf.Session() as session:
        saver.restore(session, path)
        assert session.run(count) == 3


def test_what_does_not_fit_is_said_and_changes_nothing(tmp_path):
    model()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, tmp_path / "model")
    with tf.Graph().as_default(), tf.Session() as session:
        count = tf.Variable(np.int64(5), name="count")
        session.run(count.initializer)
        cases = [
            (tf.Variable(np.zeros((2, 2))), "dense/kernel", ShapeError, r"\(1, 2\)"),
            (tf.Variable([[1, 2]]), "dense/kernel", DTypeError, "float32"),
            (tf.Variable(1.0), "other", NotFoundError, "'other'; it has count, dense"),
        ]
        for variable, name, error, message in cases:
            saver = tf.train.Saver({"count": count, name: variable})
            with pytest.raises(error, match=message):
                saver.restore(session, path)
            assert session.run(count) == 5
        with pytest.raises(NotFoundError, match=r"no checkpoint at .*none\.npz"):
            saver.restore(session, tmp_path / "none")


def test_there_must_be_something_to_save(tmp_path):
    with pytest.raises(ValueError, match="no variables"):
        tf.train.Saver()
    model()
    with tf.Session() as session, pytest.raises(UninitializedError, match="kernel"):
        tf.train.Saver().save(session, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_to_be_missing(tmp_path):
    v = tf.Variable(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(ValueError, match="does not exist: make it before saving"):
            tf.train.Saver().save(session, tmp_path / "missing" / "model")
