"""Quantizers and their configs, beside Keras's."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import quantizers
from minikeras.quantizers import AbsMaxQuantizer, configs, groups


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def same(found, wanted, rtol=1e-6):
    for a, b in zip(found, wanted, strict=True):
        if hasattr(b, "dtype"):
            assert str(a.dtype) == str(b.dtype)
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol)
        else:
            assert a == b


@pytest.mark.parametrize(
    ("axis", "kwargs"),
    [
        (-1, {}),
        (0, {"value_range": (-8, 7)}),
        ((0, 2), {"epsilon": 1e-2}),
        (1, {"dtype": "int32", "value_range": (-1000, 1000), "to_numpy": True}),
    ],
)
def test_abs_max_quantize(keras, rng, axis, kwargs):
    x = np.float32(rng.normal(size=(3, 4, 5)))
    found = quantizers.abs_max_quantize(x, axis, **kwargs)
    same(found, keras.quantizers.abs_max_quantize(x, axis, **kwargs))


@pytest.mark.parametrize("block", [2, 3, 7, 20])
def test_blocks_with_zero_points(keras, rng, block):
    x = np.float32(rng.normal(size=(7, 4)) + 0.5)
    name = "abs_max_quantize_grouped_with_zero_point"
    found = getattr(quantizers, name)(x, block)
    same(found, getattr(keras.quantizers, name)(x, block, to_numpy=True))


class TestInt4:
    @pytest.mark.parametrize("axis", [0, 1, -1])
    @pytest.mark.parametrize("dtype", ["int8", "uint8"])
    def test_there_and_back(self, keras, rng, axis, dtype):
        low, high = (-8, 8) if dtype == "int8" else (0, 16)
        x = rng.integers(low, high, (5, 3)).astype(dtype)
        packed, shape, count = quantizers.pack_int4(x, axis, dtype)
        wanted = keras.quantizers.pack_int4(keras.ops.array(x), axis, dtype)
        same((packed, shape, count), wanted)
        again = quantizers.unpack_int4(packed, count, axis, dtype)
        np.testing.assert_array_equal(again, x)
        assert again.dtype == dtype

    def test_rows_of_an_unknown_number(self, rng):
        x = rng.integers(-8, 8, (4, 5)).astype("int8")
        packed, _, count = quantizers.pack_int4(x, -1)
        rows = K.placeholder((None, 3), dtype="int8")
        unpack = K.function([rows], [quantizers.unpack_int4(rows, count, -1)])
        np.testing.assert_array_equal(unpack([packed])[0], x)

    def test_only_bytes(self):
        with pytest.raises(ValueError, match="Expected dtype to be 'int8' or 'uint8'"):
            quantizers.pack_int4(np.zeros(2, "int8"), dtype="int16")
        with pytest.raises(TypeError, match="Expected int8 tensor for packing"):
            quantizers.pack_int4(np.zeros(2, "int32"))
        with pytest.raises(TypeError, match="Expected int8 or uint8 tensor for unp"):
            quantizers.unpack_int4(np.zeros(2, "int32"), 4)


class TestFloat8:
    @pytest.mark.parametrize("kind", ["float8_e4m3fn", "float8_e5m2"])
    def test_rounding_is_that_of_the_format(self, keras, rng, kind):
        spread = np.float32(rng.normal(size=400) * 10.0 ** rng.integers(-9, 6, 400))
        powers = np.float32(2.0) ** np.arange(-18, 17)
        x = np.concatenate([spread, powers, -powers, [0.0]]).astype("float32")
        for scale in (1.0, 0.25, 3.0):
            args = (x, np.float32(scale), kind, "float32")
            found = quantizers.quantize_and_dequantize(*args)
            same([found], [keras.quantizers.quantize_and_dequantize(*args)])

    @pytest.mark.parametrize("amax", [0.0, 2.5, np.inf, np.nan])
    def test_scales_follow_the_largest_value(self, keras, amax):
        args = (np.float32(amax), np.float32(0.5), np.float32(448.0))
        for margin in (0, 1):
            found = quantizers.compute_float8_scale(*args, margin)
            wanted = keras.quantizers.compute_float8_scale(
                *map(keras.ops.array, args), margin
            )
            np.testing.assert_allclose(found, wanted)

    def test_a_history_moves_on(self, keras, rng):
        x, history = np.float32(rng.normal(size=5)), np.float32([3, 1, 2])
        found = quantizers.compute_float8_amax_history(x, history)
        wanted = keras.quantizers.compute_float8_amax_history(
            x, keras.ops.array(history)
        )
        same([found], [wanted])


class TestFakeQuant:
    @pytest.mark.parametrize("narrow", [False, True])
    @pytest.mark.parametrize("bits", [2, 8])
    @pytest.mark.parametrize("ends", [(-1.0, 2.0), (0.3, 0.9), (-2.0, -1.0)])
    def test_values_and_gradients(self, keras, rng, ends, bits, narrow):
        import jax

        x = np.float32(rng.normal(size=(4, 6)))
        weight = np.float32(rng.normal(size=(4, 6)))
        given = [x, *map(np.float32, ends)]

        def total(room):
            def loss(x, low, high):
                y = room.quantizers.fake_quant_with_min_max_vars(
                    x, low, high, bits, narrow
                )
                return room.ops.sum(y * weight)

            return loss

        wanted, slopes = jax.value_and_grad(total(keras), (0, 1, 2))(*given)
        found, gradients = value_and_gradients(total, given)
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
        for a, b in zip(gradients, slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def test_by_channel(self, keras, rng):
        x = np.float32(rng.normal(size=(4, 3)))
        low, high = np.float32([-1, -2, 0]), np.float32([1, 0.5, 2])
        args = (x, low, high, 4, False, 1)
        found = quantizers.fake_quant_with_min_max_vars(*args)
        wanted = keras.quantizers.fake_quant_with_min_max_vars(*args)
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        # Along another axis than the last one, Keras's ends do not fit the channels.
        turned = quantizers.fake_quant_with_min_max_vars(x.T, low, high, 4, False, 0)
        np.testing.assert_allclose(turned.T, wanted, rtol=1e-6)

    def test_one_end_of_all_channels_gets_the_gradients_of_all(self):
        x = np.float32([[-2.0, 0.1, 3.0], [5.0, -0.2, -7.0]])

        def total(room):
            return lambda *given: room.ops.sum(
                room.quantizers.fake_quant_with_min_max_vars(*given, axis=-1)
            )

        _, gradients = value_and_gradients(total, [x, np.float32(-1), np.float32(1)])
        inside = np.abs(x) <= 1
        for slope, want in zip(gradients, (inside, 2, 2), strict=True):
            np.testing.assert_array_equal(slope, want)

    def test_unknown_sizes_stay_unknown(self):
        x = K.placeholder((None, 3))
        y = quantizers.fake_quant_with_min_max_vars(x, -1.0, 1.0)
        assert tuple(y.shape) == (None, 3)


def value_and_gradients(total, given):
    import minikeras

    variables = [K.Variable(x) for x in given]

    @K.function
    def both():
        loss = total(minikeras)(*(v.value for v in variables))
        return loss, K.gradients(loss, variables)

    return both()


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("size", [-1, 3, 4, 100])
@pytest.mark.parametrize("each", [False, True])
def test_scales_of_groups(keras, rng, symmetric, signed, size, each):
    from keras.src.quantizers.quantizers import compute_quantization_parameters

    x = np.float32(rng.normal(size=(5, 8)) + 1)
    x[2] = 0
    kwargs = {"bits": 4, "symmetric": symmetric, "per_channel": each}
    kwargs |= {"group_size": size, "signed": signed}
    found = groups.compute_quantization_parameters(x, **kwargs)
    same(found, compute_quantization_parameters(keras.ops.array(x), **kwargs))


class TestNames:
    def test_classes_are_made_and_objects_returned(self):
        made = quantizers.get("abs_max_quantizer", axis=-1)
        assert made.axis == (-1,)
        assert quantizers.get(made) is made
        assert quantizers.get(None) is None
        again = quantizers.get(quantizers.serialize(made))
        assert again.get_config() == made.get_config()
        with pytest.raises(ValueError, match="Could not interpret quantizer"):
            quantizers.get("abs")

    def test_int8_holds_only_so_much(self):
        with pytest.raises(ValueError, match="to be within the interval"):
            AbsMaxQuantizer(value_range=(-200, 200))


class TestConfigs:
    def test_they_go_both_ways(self, keras):
        for room in (quantizers, keras.quantizers):
            for config in (
                room.Int8QuantizationConfig(activation_quantizer=None),
                room.Int8QuantizationConfig(room.AbsMaxQuantizer(axis=0)),
                room.Int4QuantizationConfig(),
                room.Int4QuantizationConfig(block_size=None),
                room.Float8QuantizationConfig(),
                room.AWQConfig(None, None, num_grid_points=3),
            ):
                written = room.serialize(config)
                ours = quantizers.deserialize(written)
                assert quantizers.serialize(ours) == written
                assert ours.mode == config.mode

    @pytest.mark.parametrize(
        ("name", "args", "kwargs"),
        [
            ("Int4QuantizationConfig", (), {"block_size": 0}),
            ("GPTQConfig", (0, 0), {"weight_bits": 5}),
            ("GPTQConfig", (0, 0), {"num_samples": 0}),
            ("GPTQConfig", (0, 0), {"hessian_damping": 2}),
            ("GPTQConfig", (0, 0), {"group_size": 0}),
            ("AWQConfig", (0, 0), {"weight_bits": 8}),
            ("AWQConfig", (0, 0), {"num_grid_points": 0}),
            ("AWQConfig", (0, 0), {"group_size": -2}),
        ],
    )
    def test_nonsense_is_refused_in_keras_words(self, keras, name, args, kwargs):
        ours, theirs = (getattr(r, name) for r in (quantizers, keras.quantizers))
        assert refusal(ours, *args, **kwargs) == refusal(theirs, *args, **kwargs)

    def test_quantizers_must_fit_the_mode(self):
        eight = AbsMaxQuantizer()
        with pytest.raises(ValueError, match=r"value_range=\(-8, 7\)"):
            quantizers.Int4QuantizationConfig(eight, block_size=None)
        with pytest.raises(ValueError, match="does not support custom quantizers"):
            quantizers.Int4QuantizationConfig(eight)
        wide = AbsMaxQuantizer(output_dtype="int32")
        with pytest.raises(ValueError, match="output_dtype='int8'"):
            quantizers.Int8QuantizationConfig(wide)

    @pytest.mark.parametrize(
        ("mode", "config"),
        [
            (None, None),
            ("int3", None),
            ("gptq", None),
            ("awq", None),
            ("int8", 3),
            ("int8", "Int4QuantizationConfig"),
        ],
    )
    def test_mode_and_config_must_agree(self, keras, mode, config):
        from keras.src.quantizers.quantization_config import (
            validate_and_resolve_config,
        )

        given = [config, config]
        if isinstance(config, str):
            given = [getattr(r, config)() for r in (quantizers, keras.quantizers)]
        found = refusal(configs.validate_and_resolve_config, mode, given[0])
        assert found == refusal(validate_and_resolve_config, mode, given[1])


def refusal(function, *args, **kwargs):
    """Return what a function says when it raises a `ValueError`."""
    try:
        function(*args, **kwargs)
    except ValueError as error:
        return str(error)
    raise AssertionError("nothing was raised")
