"""Random numbers: of the right distribution, and the same ones when they should be."""

import inspect

import numpy as np
import pytest

import minikeras.random as random
from minikeras import backend as K

MANY = (20000,)


@pytest.fixture(autouse=True)
def _seeded():
    K.set_random_seed(0)


# -- the distributions -----------------------------------------------------------------


def moments(x):
    return float(np.mean(x)), float(np.std(x))


@pytest.mark.parametrize(
    "draw, mean, std",
    [
        (lambda: random.normal(MANY), 0, 1),
        (lambda: random.normal(MANY, 3.0, 0.5), 3, 0.5),
        (lambda: random.uniform(MANY), 0.5, 12**-0.5),
        (lambda: random.uniform(MANY, -1.0, 3.0), 1, 4 * 12**-0.5),
        (lambda: random.truncated_normal(MANY), 0, 0.8796),
        (lambda: random.randint(MANY, 0, 10), 4.5, (99 / 12) ** 0.5),
        (lambda: random.binomial(MANY, 6, 0.3), 1.8, 1.26**0.5),
        (lambda: random.gamma(MANY, 2.5), 2.5, 2.5**0.5),
        (lambda: random.beta(MANY, 2.0, 3.0), 0.4, 0.2),
        (lambda: K.random_bernoulli(MANY, 0.3), 0.3, 0.21**0.5),
    ],
)
def test_mean_and_deviation_are_those_of_the_distribution(draw, mean, std):
    found = moments(draw())
    np.testing.assert_allclose(found, (mean, std), atol=0.03)


def test_truncated_normal_numbers_lie_within_two_deviations():
    x = random.truncated_normal(MANY, 1.0, 2.0)
    assert x.min() >= -3
    assert x.max() <= 5


def test_integers_stay_within_their_bounds():
    assert set(random.randint((1000,), -2, 3).tolist()) == {-2, -1, 0, 1, 2}


def test_categories_follow_their_logits():
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    with np.errstate(divide="ignore"):
        x = random.categorical(np.log(chances), 20000)
    assert x.shape == (2, 20000)
    assert x.dtype == "int32"
    shares = [np.bincount(row, minlength=3) / 20000 for row in x]
    np.testing.assert_allclose(shares, chances, atol=0.02)


def test_shuffling_keeps_rows_whole():
    x = np.arange(40).reshape(20, 2)
    y = random.shuffle(x)
    assert (y != x).any()
    np.testing.assert_array_equal(y[np.argsort(y[:, 0])], x)
    z = random.shuffle(x.T, axis=1)
    np.testing.assert_array_equal(z[:, np.argsort(z[0])], x.T)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_have_the_dtype_asked_for(dtype):
    assert random.normal((3,), dtype=dtype).dtype == dtype
    assert random.uniform((3,), dtype=dtype).dtype == dtype


def test_arguments_are_those_of_keras():
    import keras

    for name in random.__all__:
        if name == "SeedGenerator":
            continue
        ours = inspect.signature(getattr(random, name)).parameters
        theirs = inspect.signature(getattr(keras.random, name)).parameters
        assert {p.name: p.default for p in ours.values()} == {
            p.name: p.default for p in theirs.values()
        }, name


# -- dropout ---------------------------------------------------------------------------


def test_dropout_keeps_the_mean():
    y = random.dropout(np.ones(MANY, "float32"), 0.25)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    np.testing.assert_allclose((y == 0).mean(), 0.25, atol=0.02)


def test_dropout_drops_whole_axes_of_its_noise_shape():
    y = random.dropout(np.ones((50, 4, 3), "float32"), 0.5, noise_shape=(None, 1, 3))
    assert (y == y[:, :1]).all()
    assert not (y == y[:, :, :1]).all()


def test_dropout_of_nothing_and_of_all():
    x = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(random.dropout(x, 0.0), x)
    np.testing.assert_array_equal(random.dropout(x, 1.0), 0 * x)


def test_the_gradient_of_dropout_is_its_mask():
    x = K.placeholder((100,))
    y = K.dropout(x, 0.5)
    f = K.function([x], [y, K.gradients(K.sum(y), [x])[0]])
    value, slope = f([np.full(100, 3.0)])
    np.testing.assert_array_equal(slope, value / 3)


# -- the same numbers, or others -------------------------------------------------------


def test_an_integer_is_one_draw():
    a = random.normal((4,), seed=1)
    np.testing.assert_array_equal(a, random.normal((4,), seed=1))
    assert (a != random.normal((4,), seed=2)).all()


def test_a_generator_draws_anew_and_can_start_again():
    keys = random.SeedGenerator(5)
    first = [random.normal((4,), seed=keys) for _ in range(3)]
    keys.state.assign(np.array([5, 0], "uint32"))
    again = [random.normal((4,), seed=keys) for _ in range(3)]
    np.testing.assert_array_equal(first, again)
    assert len({x.tobytes() for x in first}) == 3


def test_a_generator_counts_its_keys():
    keys = random.SeedGenerator(5)
    np.testing.assert_array_equal(keys.next(), [5, 0])
    np.testing.assert_array_equal(keys.next(), [5, 1])
    np.testing.assert_array_equal(keys.state.numpy(), [5, 2])
    assert keys.state.dtype == "uint32"
    assert not keys.state.trainable


def test_a_generator_is_made_again_from_its_config():
    keys = random.SeedGenerator(5, name="mine")
    again = random.SeedGenerator.from_config(keys.get_config())
    assert keys.get_config() == again.get_config() == {"seed": 5, "name": "mine"}


def test_generators_without_a_seed_differ_but_repeat():
    def draws():
        K.set_random_seed(3)
        keys = [random.SeedGenerator(), random.SeedGenerator(), None]
        return [random.uniform((4,), seed=k) for k in keys]

    first = draws()
    np.testing.assert_array_equal(first, draws())
    assert len({x.tobytes() for x in first}) == 3


def test_set_random_seed_covers_python_and_numpy():
    import random as pythons

    K.set_random_seed(3)
    first = pythons.random(), np.random.rand()  # noqa: NPY002
    K.set_random_seed(3)
    assert first == (pythons.random(), np.random.rand())  # noqa: NPY002


def test_seeds_are_integers_or_generators():
    with pytest.raises(ValueError, match="`SeedGenerator`"):
        random.normal((2,), seed="7")
    with pytest.raises(ValueError, match="integer"):
        random.SeedGenerator("7")


# -- in traced functions and graphs ----------------------------------------------------


def test_a_traced_function_draws_what_arrays_would():
    keys, others = random.SeedGenerator(9), random.SeedGenerator(9)

    @K.function
    def draw(x):
        return random.dropout(x, 0.5, seed=keys), random.normal((3,), seed=keys)

    x = np.ones(20, "float32")
    for _ in range(3):
        mask, numbers = draw(x)
        np.testing.assert_array_equal(mask, random.dropout(x, 0.5, seed=others))
        np.testing.assert_array_equal(numbers, random.normal((3,), seed=others))
    np.testing.assert_array_equal(keys.state.numpy(), others.state.numpy())


def test_the_global_generator_counts_in_traced_functions():
    @K.function
    def draw(x):
        return random.dropout(x, 0.5)

    x = np.ones(40, "float32")
    assert (draw(x) != draw(x)).any()


def test_a_graph_draws_anew_in_each_run_and_leaves_the_generator_alone():
    keys = random.SeedGenerator(9)
    x = K.placeholder((40,))
    f = K.function([x], [K.dropout(x, 0.5, seed=keys), K.dropout(x, 0.5, seed=keys)])
    (a, b), (c, _) = f([np.ones(40)]), f([np.ones(40)])
    assert (a != b).any()
    assert (a != c).any()
    np.testing.assert_array_equal(keys.state.numpy(), [9, 0])


def test_layers_in_a_symbolic_scope_draw_anew_in_each_run():
    x = K.placeholder((40,))
    with K.symbolic_scope():
        y = K.dropout(x, 0.5)
    f = K.function([x], [y])
    assert (f([np.ones(40)])[0] != f([np.ones(40)])[0]).any()


def test_each_pass_of_a_loop_draws_anew():
    keys = random.SeedGenerator(9)

    @K.function
    def rows(x):
        return K.map(lambda row: random.dropout(row, 0.5, seed=keys), x)

    x = np.ones((3, 40), "float32")
    first, second = rows(x), rows(x)
    assert len({row.tobytes() for row in [*first, *second]}) == 6


def test_a_branch_draws_anew_in_each_run():
    x, training = K.placeholder((40,)), K.placeholder((), dtype="bool")
    y = K.in_train_phase(lambda: K.dropout(x, 0.5), x, training=training)
    f = K.function([x, training], [y])
    ones = np.ones(40, "float32")
    assert (f([ones, True])[0] != f([ones, True])[0]).any()
    np.testing.assert_array_equal(f([ones, False])[0], ones)


def test_shapes_may_be_tensors():
    x = K.placeholder((None, 3))
    y = K.random_normal(K.shape(x))
    assert y.shape == (None, 3)
    f = K.function([x], [y])
    assert f([np.zeros((2, 3))])[0].shape == (2, 3)
    assert (f([np.zeros((2, 3))])[0] != f([np.zeros((2, 3))])[0]).all()


def test_variables_of_random_numbers():
    x = K.random_normal_variable((100,), 5.0, 0.1)
    y = K.random_uniform_variable((100,), 2.0, 3.0, seed=1)
    np.testing.assert_allclose(K.eval(x).mean(), 5, atol=0.1)
    assert ((K.eval(y) >= 2) & (K.eval(y) < 3)).all()


@pytest.mark.parametrize("traced", [False, True])
def test_the_gradient_of_a_loop_sees_the_draws_of_its_passes(traced):
    keys = random.SeedGenerator(9)

    def loss_and_slope(x):
        y = K.map(lambda row: K.dropout(row, 0.5, seed=keys), x)
        return y, K.gradients(K.sum(y), [x])[0]

    ones = np.ones((3, 40), "float32")
    if traced:
        y, slope = K.function(loss_and_slope)(ones)
    else:
        x = K.placeholder((3, 40))
        y, slope = K.function([x], loss_and_slope(x))([ones])
    np.testing.assert_array_equal(slope, y)
    assert len({row.tobytes() for row in y}) == 3


def test_keys_out_of_order_are_those_of_keras():
    import keras

    theirs, ours = (room.SeedGenerator(seed=7) for room in (keras.random, random))
    for _ in range(3):
        np.testing.assert_array_equal(
            ours.next(ordered=False), np.asarray(theirs.next(ordered=False))
        )


def test_seeds_have_the_dtype_of_keys():
    generator = random.SeedGenerator(3)
    assert generator.state.dtype == K.random_seed_dtype() == "uint32"
