"""What all optimizers share: one step's order, learning rates, errors, saving."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import optimizers
from minikeras.optimizers import SGD, Adam, Optimizer, schedules


def variable(value=(1.0, 2.0), name="w"):
    return K.Variable(np.asarray(value, "float32"), name=name)


G = np.array([1.0, -1.0], "float32")


def test_a_users_optimizer_needs_build_and_update_step():
    class Momentum(Optimizer):
        def build(self, variables):
            super().build(variables)
            self.momentums = self.add_optimizer_variables(variables, "momentum")

        def update_step(self, gradient, variable, learning_rate):
            m = self.momentums[self._get_variable_index(variable)]
            self.assign(m, m * 0.9 - gradient * learning_rate)
            self.assign_add(variable, m)

    optimizer, w = Momentum(learning_rate=0.1), variable()
    for _ in range(3):
        optimizer.apply_gradients([(G, w)])
    # v: -.1, -.19, -.271
    np.testing.assert_allclose(w.numpy(), [1 - 0.561, 2 + 0.561], rtol=1e-6)
    assert optimizer.name == "momentum"
    assert int(optimizer.iterations) == 3


def test_building_twice_makes_nothing_new():
    for optimizer in (Adam(), optimizers.Nadam(use_ema=True)):
        w = variable()
        optimizer.build([w])
        made = optimizer.variables
        optimizer.build([w])
        assert optimizer.variables == made


class TestLearningRate:
    def test_it_can_be_read_and_set(self):
        optimizer, w = SGD(0.5), variable()
        assert float(optimizer.learning_rate) == 0.5
        optimizer.apply([G], [w])
        optimizer.learning_rate = 0.25
        optimizer.apply([G], [w])
        np.testing.assert_allclose(w.numpy(), [0.25, 2.75])

    def test_a_schedule_sees_the_steps(self):
        rate = schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])
        optimizer, w = SGD(rate), variable([0.0, 0.0])
        for _ in range(4):
            optimizer.apply([G], [w])
        np.testing.assert_allclose(w.numpy(), [-2.0, 2.0])
        assert optimizer.learning_rate == 0.25
        with pytest.raises(TypeError, match="not settable"):
            optimizer.learning_rate = 0.1

    def test_a_schedule_can_take_the_place_of_a_number(self):
        optimizer, w = SGD(1.0), variable([0.0, 0.0])
        optimizer.apply([G], [w])
        optimizer.learning_rate = schedules.InverseTimeDecay(1.0, 1, 1.0)
        optimizer.apply([G], [w])
        np.testing.assert_allclose(w.numpy(), [-1.5, 1.5])
        assert [v.name for v in optimizer.variables] == ["iteration"]

    def test_a_function_without_arguments(self):
        optimizer, w = SGD(lambda: 0.5), variable()
        optimizer.apply([G], [w])
        np.testing.assert_allclose(w.numpy(), [0.5, 2.5])

    def test_a_schedule_comes_back_from_the_config(self):
        optimizer = Adam(schedules.CosineDecay(0.1, 10))
        again = optimizers.deserialize(optimizers.serialize(optimizer))
        assert again._learning_rate.get_config() == (
            optimizer._learning_rate.get_config()
        )

    def test_a_word_is_none(self):
        with pytest.raises(ValueError, match="learning_rate=fast"):
            SGD("fast")


class TestGradients:
    def test_none_leaves_a_variable_and_warns(self):
        optimizer, v, w = SGD(0.5), variable(), variable(name="b")
        with pytest.warns(UserWarning, match=r"do not exist for variables \['b'\]"):
            optimizer.apply([G, None], [v, w])
        np.testing.assert_allclose(v.numpy(), [0.5, 2.5])
        np.testing.assert_allclose(w.numpy(), [1.0, 2.0])

    def test_only_none_is_an_error(self):
        with pytest.raises(ValueError, match="No gradients provided for any variable"):
            SGD().apply([None], [variable()])

    def test_nothing_at_all_is_no_step(self):
        optimizer = SGD()
        optimizer.apply([])
        assert int(optimizer.iterations) == 0

    def test_other_variables_are_an_error(self):
        optimizer = SGD()
        optimizer.apply([G], [variable()])
        with pytest.raises(ValueError, match="Unknown variable: <Variable path=other"):
            optimizer.apply([G], [variable(name="other")])

    def test_their_number_must_fit(self):
        optimizer = SGD()
        optimizer.build([variable(), variable()])
        with pytest.raises(ValueError, match="list of 1 gradients for 2 variables"):
            optimizer.apply([G])

    def test_before_build_the_variables_are_needed(self):
        with pytest.raises(ValueError, match=r"Call `optimizer\.build"):
            SGD().apply([G])

    def test_some_of_the_variables_may_be_left_out(self):
        optimizer, v, w = Adam(0.1), variable(), variable(name="b")
        optimizer.build([v, w])
        optimizer.apply([G], [w])
        np.testing.assert_allclose(v.numpy(), [1.0, 2.0])
        np.testing.assert_allclose(w.numpy(), [0.9, 2.1], rtol=1e-5)


class TestClipping:
    def test_a_global_norm_that_is_not_finite_makes_all_nan(self):
        optimizer, w = SGD(global_clipnorm=1.0), variable()
        optimizer.apply([G * np.inf], [w])
        assert np.isnan(w.numpy()).all()

    def test_zero_gradients_stay_zero(self):
        for kwargs in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}):
            optimizer, w = SGD(**kwargs), variable()
            optimizer.apply([G * 0], [w])
            np.testing.assert_array_equal(w.numpy(), [1.0, 2.0])


class TestWeightDecay:
    def test_some_variables_can_be_spared(self):
        optimizer = SGD(0.5, weight_decay=0.1)
        kernel, bias, norm = (variable(name=n) for n in ("kernel", "bias", "norm"))
        optimizer.exclude_from_weight_decay(var_list=[norm], var_names=["bias"])
        optimizer.apply([G * 0] * 3, [kernel, bias, norm])
        np.testing.assert_allclose(kernel.numpy(), [0.95, 1.9])
        np.testing.assert_allclose(bias.numpy(), [1.0, 2.0])
        np.testing.assert_allclose(norm.numpy(), [1.0, 2.0])
        with pytest.raises(ValueError, match="before the optimizer is built"):
            optimizer.exclude_from_weight_decay()


def test_accumulation_counts_updates_not_steps():
    optimizer, w = SGD(1.0, gradient_accumulation_steps=2), variable([0.0, 0.0])
    for i in range(5):
        optimizer.apply([G * i], [w])
        np.testing.assert_allclose(w.numpy()[0], [0, -0.5, -0.5, -3, -3][i])
    assert optimizer.iterations == 2


def test_16_bit_variables_keep_their_dtype():
    w = K.Variable(np.array([1.0, 2.0], "float16"), name="w")
    optimizer = Adam(0.1)
    optimizer.apply([G], [w])
    assert {v.dtype for v in optimizer.variables[2:]} == {"float16"}
    assert w.numpy().dtype == np.float16
    np.testing.assert_allclose(w.numpy(), [0.9, 2.1], rtol=1e-3)


def test_state_can_be_saved_and_set(rng):
    optimizer, w = Adam(), variable()
    for _ in range(3):
        optimizer.apply([np.float32(rng.normal(size=2))], [w])
    store = {}
    optimizer.save_own_variables(store)
    other = Adam()
    with pytest.raises(ValueError, match="has not yet been built"):
        other.set_weights(list(store.values()))
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        other.load_own_variables(store)
    other.build([w])
    other.load_own_variables(store)
    third = Adam()
    third.build([w])
    third.set_weights([v.numpy() for v in optimizer.variables])
    for a, b, c in zip(
        optimizer.variables, other.variables, third.variables, strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        np.testing.assert_array_equal(a.numpy(), c.numpy())


def test_no_new_trace_for_new_values():
    traces = []

    class Counting(SGD):
        def update_step(self, gradient, variable, learning_rate):
            traces.append(1)
            super().update_step(gradient, variable, learning_rate)

    optimizer, w = Counting(), variable()
    for i in range(4):
        optimizer.apply([G * i], [w])
    assert traces == [1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(clipnorm=1.0, clipvalue=1.0), "Only one of `clipnorm`"),
        (lambda: SGD(use_ema=True, ema_momentum=1.5), "`ema_momentum` must be"),
        (
            lambda: SGD(use_ema=True, ema_overwrite_frequency=0.5),
            "`ema_overwrite_frequency` must",
        ),
        (lambda: SGD(gradient_accumulation_steps=1), "integer >= 2"),
        (lambda: SGD(momentum=1.5), "`momentum` must be a float"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay=None"),
        (lambda: optimizers.Lion(beta_1=0.0), "beta_1=0.0"),
        (lambda: optimizers.Ftrl(learning_rate_power=1.0), "learning_rate_power=1.0"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=-1.0), "strength=-1.0"),
        (
            lambda: Adam().add_optimizer_variables([], ["a", "b"], ["zeros"]),
            "number of provided names must match",
        ),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="Optimizer has no `update_step`"):
        Optimizer(0.1).apply([G], [variable()])


def test_the_update_of_one_more_variable_costs_few_nodes():
    """Factors of the step are computed once, not for each variable."""

    def nodes(count):
        optimizer = Adam()
        variables = [variable(name=f"w{i}") for i in range(count)]
        optimizer.build(variables)
        with K.tracing() as trace:
            optimizer.apply([K.constant(G) for _ in variables])
        return len(trace.graph.nodes)

    assert nodes(11) - nodes(10) <= 24
