"""Updates of many variables as one loop, on memory where they lie in a row."""

from __future__ import annotations

from weakref import ref

import numpy as np
import pytest

import minikeras as keras
from minikeras.engine.compiler import without
from minikeras.engine.compiler.joining import Arena
from minikeras.engine.compiler.program import Fused
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.ops.state import Handle
from minikeras.engine.storage import Storage

X = np.random.default_rng(0).standard_normal((48, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 48)
OPTIMIZERS = ("sgd", "adam", "rmsprop", "adagrad", "nadam", "ftrl", "lion", "adamw")


def trained(optimizer: str, *off: str) -> keras.Model:
    """Return a model after some steps without these passes."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6,)), *(keras.layers.Dense(n, "tanh") for n in (5, 7, 3))]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    with without(*off):
        model.fit(X, Y, batch_size=20, epochs=2, verbose=0)  # 20, 20 and 8 rows
    return model


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_are_those_of_separate_updates(optimizer: str) -> None:
    one, apart = trained(optimizer, "native"), trained(optimizer, "native", "join")
    for got, want in zip(one.get_weights(), apart.get_weights(), strict=True):
        np.testing.assert_array_equal(got, want)
    plain = trained(optimizer, "compile")
    for got, want in zip(one.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def updates(model: keras.Model) -> list[int]:
    """Return the sizes of the loops by which the first plan writes weights."""
    commit = model.plans()[0].schedule.commit
    return sorted(u.loop.sizes[0] for u in commit if isinstance(u, Fused))


def test_an_optimizer_is_one_loop_over_all_weights() -> None:
    sizes = (6 * 5, 5, 5 * 7, 7, 7 * 3, 3)
    in_a_row = sum(-(-n // 16) * 16 for n in sizes)
    assert updates(trained("adam"))[-1] == in_a_row
    assert updates(trained("adam", "join"))[-2:] == [6 * 5, 5 * 7]


def test_another_model_on_the_same_weights_leaves_them_where_they_are() -> None:
    first = trained("adam")
    second = keras.Sequential(first.layers[1:])
    second.build((None, 5))
    second.compile("sgd", "mse")
    rows = np.ones((20, 5), "float32")
    before = first.predict(X, verbose=0)
    second.fit(rows, np.zeros((20, 3), "float32"), verbose=0)
    assert not np.array_equal(first.predict(X, verbose=0), before)
    weights = [w.copy() for w in first.get_weights()]
    first.fit(X, Y, batch_size=20, verbose=0)
    assert not np.array_equal(first.get_weights()[2], weights[2])


def test_an_arena_leaves_with_the_variables_that_lie_on_it() -> None:
    storage = Storage()
    handles = [Handle(name, (3,), as_dtype("float32")) for name in "ab"]
    storage.update({handle: np.ones(3, "float32") for handle in handles})
    arena = ref(Arena(handles).on(storage))
    assert arena() is not None
    np.testing.assert_array_equal(storage[handles[1]], np.ones(3))
    assert storage.can_join(handles)
    assert not storage.can_join(handles[::-1])
    del storage[handles[0]]
    assert not storage.can_join(handles)  # one of them has no place there any more
    del handles
    assert arena() is None
    assert not storage


def test_a_weight_that_is_set_is_seen_by_the_next_step() -> None:
    model = trained("sgd")
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    np.testing.assert_array_equal(model.predict(X[:20], verbose=0), np.zeros((20, 3)))
    model.fit(X[:20], Y[:20], batch_size=20, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert model.get_weights()[-1].any()
