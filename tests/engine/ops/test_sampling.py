"""Random numbers: their distributions, and the same numbers for the same key.

Keys are fixed, so a test either always passes or never. A sample of the right law fails
a test of level 0.001 one time in a thousand; the key is the first that was tried.
"""

import numpy as np
import pytest
from scipy import stats

from minikeras.engine import devices, ops
from minikeras.engine.autodiff import gradients
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Graph
from minikeras.engine.session import Session

KEY = ops.random_key(20260101)
COUNT = 50_000
LEVEL = 0.001


def host(x):
    return devices.to_host(x)


SAMPLERS = {
    "uniform": (ops.random_uniform, (), stats.uniform()),
    "uniform from -3 to 5": (ops.random_uniform, (-3.0, 5.0), stats.uniform(-3, 8)),
    "normal": (ops.random_normal, (), stats.norm()),
    "normal of mean 2": (ops.random_normal, (2.0, 0.5), stats.norm(2, 0.5)),
    "truncated": (ops.truncated_normal, (), stats.truncnorm(-2, 2)),
    "truncated of mean -1": (
        ops.truncated_normal,
        (-1.0, 3.0),
        stats.truncnorm(-2, 2, -1, 3),
    ),
    "gamma of 0.3": (ops.random_gamma, (0.3,), stats.gamma(0.3)),
    "gamma of 1": (ops.random_gamma, (1.0,), stats.gamma(1)),
    "gamma of 7": (ops.random_gamma, (7.0,), stats.gamma(7)),
    "beta": (ops.random_beta, (2.0, 0.5), stats.beta(2, 0.5)),
}
each = pytest.mark.parametrize(
    "sampler, parameters, law", SAMPLERS.values(), ids=list(SAMPLERS)
)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sample_follows_its_law(sampler, parameters, law, dtype):
    y = host(sampler(KEY, (COUNT,), *parameters, dtype=dtype))
    assert y.dtype == dtype
    assert stats.kstest(y, law.cdf).pvalue > LEVEL


@each
def test_neighbors_are_not_correlated(sampler, parameters, law):
    y = host(sampler(KEY, (COUNT,), *parameters)).astype("float64")
    for lag in (1, 2, 3, 4, 8):
        assert abs(np.corrcoef(y[lag:], y[:-lag])[0, 1]) < 4 / np.sqrt(COUNT)


@each
def test_the_same_key_gives_the_same_numbers(sampler, parameters, law):
    first, again = (host(sampler(KEY, (9,), *parameters)) for _ in range(2))
    other = host(sampler(ops.fold_in(KEY, 0), (9,), *parameters))
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


@each
def test_a_graph_gives_the_numbers_that_come_at_once(sampler, parameters, law):
    with Graph().as_default() as graph:
        key = ops.placeholder("uint32", (2,))
        shape = ops.placeholder("int32", (2,))
        y = sampler(key, shape, *parameters)
        assert y.shape == (None, None)
        found = Session(graph=graph).run(y, {key: host(KEY), shape: [3, 5]})
    np.testing.assert_array_equal(found, host(sampler(KEY, (3, 5), *parameters)))


@each
def test_a_static_shape_is_known(sampler, parameters, law):
    with Graph().as_default():
        batch = ops.shape(ops.placeholder("float32", (None, 4)))[0]
        y = sampler(ops.next_key(), (batch, 7), *parameters)
        assert y.shape == (None, 7)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_numbers_reach_0_and_never_1(dtype):
    y = host(ops.random_uniform(KEY, (1_000_000,), dtype=dtype))
    assert y.min() >= 0
    assert y.max() < 1
    assert y.min() < 1e-5
    assert y.max() > 1 - 1e-3


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_truncated_numbers_lie_within_two_deviations(dtype):
    y = host(ops.truncated_normal(KEY, (1_000_000,), dtype=dtype))
    assert 1.99 < np.abs(y).max() <= 2


def test_truncated_numbers_are_quantiles_of_the_uniform_ones():
    u = host(ops.random_uniform(KEY, (10_000,), dtype="float64"))
    expected = stats.truncnorm(-2, 2).ppf(u)
    found = host(ops.truncated_normal(KEY, (10_000,), dtype="float64"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-7)


def test_normal_numbers_have_tails():
    y = host(ops.random_normal(KEY, (1_000_000,)))
    assert 4.5 < np.abs(y).max() < 7
    assert np.isfinite(y).all()
    assert abs(stats.kurtosis(y)) < 0.02


def test_parameters_broadcast_and_gradients_reach_them():
    with Graph().as_default() as graph:
        mean = ops.placeholder("float32", (3,))
        scale = ops.placeholder("float32", ())
        y = ops.random_normal(KEY, (2, 3), mean, scale)
        slopes = gradients(y, [mean, scale])
        feed = {mean: np.zeros(3), scale: 2.0}
        by_mean, by_scale = Session(graph=graph).run(slopes, feed)
    np.testing.assert_array_equal(by_mean, [2, 2, 2])
    standard = host(ops.random_normal(KEY, (2, 3)))
    np.testing.assert_allclose(by_scale, standard.sum(), rtol=1e-5)


def test_only_floating_point_numbers_are_normal():
    with pytest.raises(DTypeError, match="int32"):
        ops.random_normal(KEY, (2,), dtype="int32")


# -- integers and choices --------------------------------------------------------------


def test_integers_are_equally_likely():
    y = host(ops.random_integers(KEY, (COUNT,), -3, 7))
    assert y.dtype == "int32"
    values, counts = np.unique(y, return_counts=True)
    assert values.tolist() == list(range(-3, 7))
    assert stats.chisquare(counts).pvalue > LEVEL


def test_the_bounds_of_integers_broadcast():
    high = np.array([[1], [10], [100]], "int32")
    y = host(ops.random_integers(KEY, (3, 1000), 0, high, "int64"))
    assert y.dtype == "int64"
    assert y.max(1).tolist() == [0, 9, 99]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_truth_has_its_probability(p):
    y = host(ops.random_bernoulli(KEY, (COUNT,), p))
    assert y.dtype == "bool"
    assert stats.binomtest(int(y.sum()), COUNT, p).pvalue > LEVEL


def test_probabilities_0_and_1_are_exact():
    p = np.array([[0.0], [1.0]], "float32")
    y = host(ops.random_bernoulli(KEY, (2, 1_000_000), p, "float32"))
    assert y.dtype == "float32"
    assert y.min(1).tolist() == y.max(1).tolist() == [0, 1]


@pytest.mark.parametrize("n, p", [(1, 0.3), (10, 0.5), (40, 0.05)])
def test_counts_are_binomial(n, p):
    y = host(ops.random_binomial(KEY, (COUNT,), n, p))
    found = np.bincount(y.astype(int), minlength=n + 1)
    expected = COUNT * stats.binom(n, p).pmf(range(n + 1))
    often = expected > 10
    rest = [counts[~often].sum() for counts in (found, expected)]
    found, expected = found[often], expected[often]
    if rest[1] > 5:
        found, expected = np.append(found, rest[0]), np.append(expected, rest[1])
    expected *= found.sum() / expected.sum()
    assert stats.chisquare(found, expected).pvalue > LEVEL


def test_classes_have_the_probabilities_of_their_logits():
    p = np.array([[0.2, 0.5, 0.3], [0.98, 0.01, 0.01]])
    logits = np.log(p) + np.array([[100], [-100]])
    y = host(ops.random_categorical(KEY, logits, COUNT))
    assert y.shape == (2, COUNT)
    assert y.dtype == "int32"
    for row, expected in zip(y, p, strict=True):
        counts = np.bincount(row, minlength=3)
        assert stats.chisquare(counts, COUNT * expected).pvalue > LEVEL


def test_impossible_classes_are_never_drawn():
    logits = np.array([[-np.inf, 0.0, -np.inf, 1.0, -np.inf]], "float32")
    y = host(ops.random_categorical(KEY, logits, COUNT))
    assert set(y.reshape(-1).tolist()) == {1, 3}


def test_logits_have_two_axes():
    with pytest.raises(ShapeError, match="classes"):
        ops.random_categorical(KEY, np.zeros(3, "float32"), 4)


def test_a_permutation_has_every_number_once():
    y = host(ops.random_permutation(KEY, 1000))
    assert y.dtype == "int32"
    assert sorted(y.tolist()) == list(range(1000))
    assert abs(np.corrcoef(y, range(1000))[0, 1]) < 0.1


def test_all_permutations_are_equally_likely():
    keys = (ops.fold_in(KEY, i) for i in range(3000))
    seen = [tuple(host(ops.random_permutation(key, 3)).tolist()) for key in keys]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > LEVEL


def test_a_shuffle_keeps_rows_together_and_gradients_find_them():
    x = np.arange(12.0, dtype="float32").reshape(6, 2)
    y = host(ops.random_shuffle(KEY, x))
    assert sorted(map(tuple, y)) == sorted(map(tuple, x))
    assert not np.array_equal(x, y)
    with Graph().as_default() as graph:
        t = ops.placeholder("float32", (None, 2))
        (slope,) = gradients(ops.random_shuffle(KEY, t), [t], [ops.constant(y)])
        found = Session(graph=graph).run(slope, {t: x})
    np.testing.assert_array_equal(found, x)


# -- keys ------------------------------------------------------------------------------


def test_keys_are_checked():
    with pytest.raises(DTypeError, match="uint32, from random_key; got int32"):
        ops.random_uniform(np.array([1, 2], "int32"), (2,))
    with pytest.raises(ShapeError, match="2 words"):
        ops.random_uniform(np.array([1, 2, 3], "uint32"), (2,))


def test_parameters_that_do_not_broadcast_are_refused():
    with pytest.raises(ShapeError, match="random_bernoulli"):
        ops.random_bernoulli(KEY, (2,), np.zeros((3, 2), "float32"))


def test_the_seed_of_a_key_counts_to_its_64th_bit():
    seeds = [0, 1, 2**32, 2**63, -1]
    assert len({tuple(host(ops.random_key(seed)).tolist()) for seed in seeds}) == 5


def keys_of(build, runs=3, seed=None):
    """Return the keys that `build()` makes in each of several runs."""
    with Graph().as_default() as graph:
        graph.seed = seed
        keys = build()
        session = Session(graph=graph)
        return [[tuple(key) for key in session.run(keys)] for _ in range(runs)]


def two_keys():
    return [ops.next_key(), ops.next_key()]


def test_every_run_and_every_op_has_keys_of_its_own():
    keys = [key for run in keys_of(two_keys) for key in run]
    assert len(set(keys)) == 6


@pytest.mark.parametrize("new_key", [ops.next_key, lambda: ops.pass_key(KEY)])
def test_every_pass_of_a_loop_has_keys_of_its_own(new_key):
    def keys_of_a_loop():
        def body(i, first, second):
            return i + 1, second, new_key()

        none = np.zeros(2, "uint32")
        return ops.while_loop(lambda i, *_: i < 2, body, [0, none, none])[1:]

    for run in keys_of(keys_of_a_loop):
        assert len({(0, 0), *run}) == 3


def test_the_same_program_has_the_same_keys():
    assert keys_of(two_keys) == keys_of(two_keys)


def test_the_graphs_seed_changes_all_keys():
    assert keys_of(two_keys) == keys_of(two_keys, seed=0)
    assert not set(keys_of(two_keys)[0]) & set(keys_of(two_keys, seed=1)[0])


def test_ops_of_one_seed_have_the_same_keys():
    for a, b, c in keys_of(lambda: [ops.next_key(7), ops.next_key(7), ops.next_key(8)]):
        assert a == b != c


def test_other_ops_do_not_disturb_the_keys():
    def with_more():
        ops.placeholder("float32", ())
        return two_keys()

    assert keys_of(with_more) == keys_of(two_keys)
