"""Initializers that draw: distributions, fans, seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from minikeras import backend as K
from minikeras import initializers
from minikeras.initializers import compute_fans

SHAPE = (300, 200)
NORMAL = stats.norm.cdf
CUT = stats.truncnorm(-2, 2)
# Distance between the sample's distribution and the true one that 60,000 numbers
# exceed once in a million.
FAR = math.sqrt(-math.log(1e-6 / 2) / 2 / math.prod(SHAPE))


def distance(sample, cdf):
    """Largest difference between the sample's distribution and the true one."""
    x = np.sort(np.asarray(sample, "float64").ravel())
    return np.abs(cdf(x) - (np.arange(x.size) + 0.5) / x.size).max()


PRESETS = {
    "GlorotUniform": ("uniform", 2 / 500),
    "GlorotNormal": ("cut", 2 / 500),
    "HeUniform": ("uniform", 2 / 300),
    "HeNormal": ("cut", 2 / 300),
    "LecunUniform": ("uniform", 1 / 300),
    "LecunNormal": ("cut", 1 / 300),
}


def with_variance(kind, variance):
    """Return the distribution function of a kind with this variance."""
    stddev = math.sqrt(variance)
    if kind == "uniform":
        limit = math.sqrt(3) * stddev
        return stats.uniform(-limit, 2 * limit).cdf
    if kind == "cut":
        return lambda x: CUT.cdf(x * CUT.std() / stddev)
    return lambda x: NORMAL(x / stddev)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_their_variance(name):
    made = getattr(initializers, name)(seed=1)(SHAPE)
    assert distance(made, with_variance(*PRESETS[name])) < FAR


@pytest.mark.parametrize("distribution", ["uniform", "cut", "untruncated_normal"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_scaling_divides_by_what_the_mode_counts(distribution, mode):
    n = {"fan_in": 300, "fan_out": 200, "fan_avg": 250}[mode]
    name = {"cut": "truncated_normal"}.get(distribution, distribution)
    made = initializers.VarianceScaling(3.0, mode, name, seed=1)(SHAPE)
    assert distance(made, with_variance(distribution, 3 / n)) < FAR


def test_a_variance_off_by_a_fifth_is_seen():
    made = initializers.HeNormal(seed=1)(SHAPE)
    assert distance(made, with_variance("cut", 1.2 * 2 / 300)) > FAR


def test_plain_distributions():
    made = initializers.RandomNormal(1.0, 2.0, seed=1)(SHAPE)
    assert distance(made, lambda x: NORMAL((x - 1) / 2)) < FAR
    made = initializers.TruncatedNormal(1.0, 2.0, seed=1)(SHAPE)
    assert distance(made, lambda x: CUT.cdf((x - 1) / 2)) < FAR
    assert np.abs(made - 1).max() <= 4
    made = initializers.RandomUniform(-1.0, 3.0, seed=1)(SHAPE)
    assert distance(made, stats.uniform(-1, 4).cdf) < FAR


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)),
        ((5,), (5, 5)),
        ((5, 7), (5, 7)),
        ((3, 5, 7), (15, 21)),
        ((3, 3, 8, 16), (72, 144)),
    ],
)
def test_fans_count_the_window(keras, shape, fans):
    theirs = keras.src.initializers.random_initializers.compute_fans
    assert compute_fans(shape) == fans == theirs(shape)


def test_fans_of_chosen_axes():
    assert compute_fans((2, 3, 5, 7), (0, 1), (2, 3)) == (6, 35)
    made = initializers.GlorotUniform(1, input_axes=(0, 1), output_axes=(2,))
    shape = (20, 15, 200)
    assert distance(made(shape), with_variance("uniform", 2 / 500)) < FAR


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


class TestOrthogonal:
    @pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (2, 3, 4)])
    def test_rows_or_columns_are_orthonormal(self, shape):
        matrix = initializers.Orthogonal(2.0, seed=1)(shape).reshape(-1, shape[-1])
        rows, columns = matrix.shape
        product = matrix @ matrix.T if rows < columns else matrix.T @ matrix
        np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)

    def test_directions_are_even(self):
        corners = [initializers.Orthogonal(seed=i)((2, 2))[0] for i in range(400)]
        angles = np.arctan2(*np.transpose(corners)) / (2 * math.pi) + 0.5
        assert stats.kstest(angles, "uniform").pvalue > 1e-3

    def test_a_vector_has_no_rows(self):
        with pytest.raises(ValueError, match="at least two-dimensional"):
            initializers.Orthogonal()((3,))


class TestSeeds:
    def test_a_seed_decides_the_values(self):
        first, second = (initializers.GlorotUniform(seed=s)((3, 4)) for s in (7, 7))
        np.testing.assert_array_equal(first, second)
        other = initializers.GlorotUniform(seed=8)((3, 4))
        assert not np.array_equal(first, other)

    def test_without_a_seed_two_objects_differ(self):
        first, second = (initializers.GlorotUniform()((3, 4)) for _ in range(2))
        assert not np.array_equal(first, second)

    def test_set_random_seed_starts_them_anew(self):
        def draw():
            K.set_random_seed(5)
            return initializers.GlorotUniform()((3, 4))

        np.testing.assert_array_equal(draw(), draw())

    def test_a_generator_gives_new_values_at_each_call(self):
        initializer = initializers.RandomNormal(seed=K.SeedGenerator(3))
        assert not np.array_equal(initializer((3,)), initializer((3,)))
        again = initializers.deserialize(initializers.serialize(initializer))
        assert isinstance(again.seed, K.SeedGenerator)
        assert again.seed.seed == 3

    def test_nothing_else_is_a_seed(self):
        with pytest.raises(ValueError, match=r"Received: seed=1\.5"):
            initializers.RandomNormal(seed=1.5)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"scale": 0.0}, "`scale` must be positive"),
        ({"mode": "fan"}, "Invalid `mode` argument: fan"),
        ({"distribution": "cauchy"}, "Invalid `distribution` argument: cauchy"),
    ],
)
def test_variance_scaling_refuses_nonsense(kwargs, message):
    with pytest.raises(ValueError, match=message):
        initializers.VarianceScaling(**kwargs)
