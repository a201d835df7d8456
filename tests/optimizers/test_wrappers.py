"""Optimizers that contain optimizers, and steps that leave no trace, beside Keras's."""

import pickle

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, mixed_precision, models, optimizers
from minikeras.optimizers import (
    SGD,
    Adam,
    LossScaleOptimizer,
    MultiOptimizer,
    OptimizerMap,
    schedules,
)


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def made(room):
    with room.name_scope("encoder"):
        first = room.Variable(np.float32([1.0, -2.0]), name="w")
    return [first, room.Variable(np.float32([[3.0, 4.0]]), name="v")]


def gradients(rng):
    return [np.float32(rng.normal(size=shape)) for shape in ((2,), (1, 2))]


def compare(own, other):
    for a, b in zip(own, other, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, err_msg=a.path)
        assert a.dtype == b.dtype


class TestLossScale:
    @pytest.mark.parametrize(
        "inner", [{}, {"gradient_accumulation_steps": 2}, {"use_ema": True}], ids=str
    )
    def test_many_steps_are_those_of_keras(self, keras, rng, inner):
        ours, theirs = (
            room.LossScaleOptimizer(
                room.Adam(0.1, name="adam", **inner),
                initial_scale=8.0,
                dynamic_growth_steps=3,
                name="scale",
            )
            for room in (optimizers, keras.optimizers)
        )
        own, other = made(K), made(keras)
        theirs.build(other)
        values = [v.numpy() for v in other], [v.numpy() for v in theirs.variables]
        for step in range(9):
            grads = gradients(rng)
            if step == 5:
                grads[0][1] = np.nan
            ours.apply(grads, own)
            values = theirs.stateless_apply(values[1], grads, values[0])
        values = [*values[0], *values[1]]
        for a, b in zip((*own, *ours.variables), values, strict=True):
            np.testing.assert_allclose(a.numpy(), b, rtol=1e-5, err_msg=a.path)
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
        assert float(ours.scale_loss(1.0)) == 16.0  # 8, 16, 32, then a NaN, and again

    def test_before_build_the_scale_is_the_first_one(self):
        assert float(LossScaleOptimizer(SGD(), initial_scale=4.0).scale_loss(3)) == 12

    def test_the_learning_rate_is_that_inside(self):
        optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=1.0)
        w = K.Variable(np.float32([1.0]))
        optimizer.apply([np.float32([1.0])], [w])
        optimizer.learning_rate = schedules.ExponentialDecay(0.25, 1, 1.0)
        optimizer.apply([np.float32([1.0])], [w])
        np.testing.assert_allclose(w.numpy(), [0.25])
        assert float(optimizer.learning_rate) == 0.25

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"dynamic": False}, "no longer supports `dynamic=False`"),
            ({"clipnorm": 1.0}, "does not support `clipnorm`"),
            ({"use_ema": True}, "does not support `use_ema`"),
            ({"color": 1}, "does not support arguments: `color`"),
        ],
    )
    def test_other_arguments_are_for_the_inner_one(self, kwargs, message):
        with pytest.raises(ValueError, match=message):
            LossScaleOptimizer(SGD(), **kwargs)

    def test_configs_of_old_are_read(self):
        config = LossScaleOptimizer(Adam(0.5)).get_config()
        again = LossScaleOptimizer.from_config({**config, "clipnorm": None})
        assert type(again.inner_optimizer) is Adam
        assert again.get_config() == config


class TestMixedPrecision:
    def test_compile_wraps_and_fit_finds_the_scale(self, rng):
        mixed_precision.set_global_policy("mixed_float16")
        try:
            model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
            model.compile(SGD(1e-3), "mse")
            plain = models.Sequential([layers.Input((4,)), layers.Dense(1)])
            plain.compile("sgd", "mse", auto_scale_loss=False)
        finally:
            mixed_precision.set_global_policy("float32")
        assert type(plain.optimizer) is SGD
        optimizer = model.optimizer
        assert type(optimizer) is LossScaleOptimizer
        assert optimizer.name == "loss_scale_optimizer"
        x = np.float32(rng.normal(size=(64, 4)))
        y = x.sum(1, keepdims=True)
        before = model.layers[-1].kernel.numpy()
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0)
        assert history.history["loss"][-1] < history.history["loss"][0]
        assert model.layers[-1].kernel.dtype == "float32"
        assert model.predict(x, verbose=0).dtype == np.float16
        assert (model.layers[-1].kernel.numpy() != before).all()
        # The first scale overflows 16 bits in some steps; those are left out.
        steps = int(optimizer.iterations)
        halvings = 24 - steps
        assert float(optimizer.dynamic_scale.numpy()) == 2.0 ** (15 - halvings)

    def test_gradients_too_small_for_16_bits_count(self):
        w = K.Variable(np.float32([0.0]))

        def step(optimizer):
            @K.function
            def train(x):
                narrow = K.cast(w, "float16") * K.cast(x, "float16")
                loss = K.mean(K.cast(narrow, "float32"))
                optimizer.build([w])
                optimizer.apply(K.gradients(optimizer.scale_loss(loss), [w]), [w])
                return loss

            w.assign([0.0])
            train(np.float32([1e-8]))  # 0 in 16 bits
            train(np.float32([1e-7]))
            return w.numpy()[0]

        assert step(SGD(1.0)) == pytest.approx(-1e-7, rel=0.5)
        assert step(LossScaleOptimizer(SGD(1.0))) == pytest.approx(-1e-7, rel=0.5)


class TestMulti:
    def maps(self, room):
        inner = {"encoder/.*": room.Adam(0.1, name="adam")}
        return room.OptimizerMap(room.SGD(0.5, name="sgd", momentum=0.5), inner)

    def test_many_steps_are_those_of_keras(self, keras, rng):
        ours = MultiOptimizer(self.maps(optimizers), name="multi")
        theirs = keras.optimizers.MultiOptimizer(
            self.maps(keras.optimizers), name="multi"
        )
        own, other = made(K), made(keras)
        for _ in range(4):
            grads = gradients(rng)
            ours.apply(grads, own)
            theirs.apply([keras.ops.convert_to_tensor(g) for g in grads], other)
        compare(own, other)
        compare(ours.variables, theirs.variables)
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
        assert [o.name for o in ours.optimizers] == ["adam", "sgd"]

    def test_a_function_may_choose(self):
        fast, slow = SGD(1.0), SGD(0.5)
        optimizer = MultiOptimizer(lambda v: fast if v.name == "w" else slow)
        w, v = made(K)
        ones = [np.ones_like(x.numpy()) for x in (w, v)]
        optimizer.apply(ones, [w, v])
        np.testing.assert_allclose(w.numpy(), [0.0, -3.0])
        np.testing.assert_allclose(v.numpy(), [[2.5, 3.5]])

    def test_in_a_model_callbacks_reach_all(self, rng):
        from minikeras import callbacks

        model = models.Sequential(
            [layers.Input((2,)), layers.Dense(2, name="a"), layers.Dense(1, name="b")]
        )
        inner = OptimizerMap(SGD(0.1, name="one"), {"a/.*": Adam(0.2, name="two")})
        model.compile(MultiOptimizer(inner), "mse")
        halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        x = np.float32(rng.normal(size=(8, 2)))
        model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[halve])
        rates = [float(o.learning_rate) for o in model.optimizer.optimizers]
        np.testing.assert_allclose(rates, [0.05, 0.025])

    def test_configs_go_both_ways(self, keras):
        ours = MultiOptimizer(self.maps(optimizers), name="multi")
        theirs = keras.optimizers.MultiOptimizer(
            self.maps(keras.optimizers), name="multi"
        )
        config = optimizers.serialize(ours)
        assert config == keras.optimizers.serialize(theirs)
        again = optimizers.deserialize(config)
        assert again.get_config() == ours.get_config()

    def test_the_loss_scale_is_shared(self):
        optimizer = MultiOptimizer(self.maps(optimizers), loss_scale_factor=4.0)
        assert {o.loss_scale_factor for o in optimizer.optimizers} == {4.0}
        optimizer.loss_scale_factor = 2.0
        assert {o.loss_scale_factor for o in optimizer.optimizers} == {2.0}

    def test_there_is_no_learning_rate(self):
        optimizer = MultiOptimizer(self.maps(optimizers))
        with pytest.raises(AttributeError, match="cannot be accessed on a Multi"):
            _ = optimizer.learning_rate
        with pytest.raises(AttributeError, match="cannot be set on a Multi"):
            optimizer.learning_rate = 0.1

    @pytest.mark.parametrize(
        ("chosen", "message"),
        [
            (LossScaleOptimizer(SGD()), "LossScaleOptimizer cannot be used inside"),
            (MultiOptimizer(OptimizerMap(SGD())), "MultiOptimizer cannot be used"),
            (3, "is not an Optimizer instance"),
        ],
    )
    def test_what_cannot_be_chosen(self, chosen, message):
        with pytest.raises(ValueError, match=message):
            MultiOptimizer(lambda v: chosen).build(made(K))

    def test_a_map_takes_patterns(self):
        plain, one = SGD(), Adam()
        found = OptimizerMap(plain)
        found["encoder/.*"] = one
        assert found["encoder/a"] is one
        assert found["decoder"] is plain
        assert list(found) == ["encoder/.*"]
        found["encoder/a.*"] = plain
        with pytest.raises(ValueError, match="Multiple optimizers assigned"):
            found["encoder/a"]
        with pytest.raises(ValueError, match="already exists"):
            found["encoder/.*"] = one
        with pytest.raises(ValueError, match="cannot be LossScaleOptimizer"):
            found["x"] = LossScaleOptimizer(SGD())
        with pytest.raises(TypeError, match="default_optimizer must be"):
            OptimizerMap("sgd")


class TestStateless:
    @pytest.mark.parametrize("name", ["SGD", "Adam", "Muon"])
    def test_values_go_in_and_out_and_nothing_changes(self, keras, rng, name):
        own, other = made(K), made(keras)
        ours = getattr(optimizers, name)(0.1)
        theirs = getattr(keras.optimizers, name)(0.1)
        ours.build(own)
        theirs.build(other)
        start = [v.numpy() + 1 for v in own]
        grads = gradients(rng)
        state = [v.numpy() for v in ours.variables]
        for _ in range(3):
            found = ours.stateless_apply(state, grads, start)
            wanted = theirs.stateless_apply(state, grads, start)
            for a, b in zip(found[0] + found[1], wanted[0] + wanted[1], strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5)
            start, state = found
        compare(own, other)
        assert int(ours.iterations) == 0

    def test_it_must_be_built_and_the_numbers_must_fit(self):
        optimizer, own = SGD(), made(K)
        with pytest.raises(ValueError, match="To call `stateless_apply`, SGD must"):
            optimizer.stateless_apply([], [], [])
        optimizer.build(own)
        with pytest.raises(ValueError, match="list with length 1, but expected 2"):
            optimizer.stateless_apply([0], [], [])
        with pytest.raises(ValueError, match="trainable variables list"):
            optimizer.stateless_apply([0, 0.1], [], [])


class TestOverwriting:
    def test_a_gradient_may_take_the_place_of_a_variable(self, keras, rng):
        for steps in (None, 2):
            pairs = []
            for room, variable_room in ((optimizers, K), (keras.optimizers, keras)):
                variables = made(variable_room)
                variables[0].overwrite_with_gradient = True
                adam = room.Adam(
                    0.1, use_ema=True, gradient_accumulation_steps=steps, name="adam"
                )
                pairs.append((adam, variables))
            for _ in range(3):
                grads = gradients(rng)
                pairs[0][0].apply(grads, pairs[0][1])
                arrays = [keras.ops.convert_to_tensor(g) for g in grads]
                pairs[1][0].apply(arrays, pairs[1][1])
            compare(pairs[0][1], pairs[1][1])
            compare(pairs[0][0].variables, pairs[1][0].variables)


def test_arguments_of_all_may_be_given_in_order():
    adam = Adam(0.5, 0.8, 0.9, 1e-3, True, 0.1, 2.0)
    assert (adam.amsgrad, adam.weight_decay, adam.clipnorm) == (True, 0.1, 2.0)
    muon = optimizers.Muon(0.5, 0.8, 0.9, None, 1e-3, 0.1, None, 3.0)
    assert (muon.weight_decay, muon.clipnorm, muon.clipvalue) == (0.1, None, 3.0)


def test_unknown_arguments_are_named():
    with pytest.raises(ValueError, match=r"Argument.s. not recognized: {'speed': 3}"):
        Adam(speed=3)
    with pytest.warns(UserWarning, match="`decay` is no longer supported"):
        Adam(decay=0.1)


def test_an_optimizer_comes_out_of_a_pickle_as_it_was(rng):
    optimizer, own = Adam(0.1), made(K)
    optimizer.apply(gradients(rng), own)
    again = pickle.loads(pickle.dumps(optimizer))
    assert again.get_config() == optimizer.get_config()
    compare(again.variables, optimizer.variables)


def test_averages_are_finalized_for_all_variables_or_none():
    optimizer, own = SGD(use_ema=True), made(K)
    optimizer.build(own)
    with pytest.raises(ValueError, match=r"length of model variables .1."):
        optimizer.finalize_variable_values(own[:1])


def test_weights_of_another_shape_are_refused():
    optimizer = Adam()
    optimizer.build(made(K))
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        optimizer.set_weights([np.zeros(3)])
