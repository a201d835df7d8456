"""The dtypes of results, for all dtypes of operands: those that Keras infers.

Keras on JAX knows no numbers of 64 bits. What it would say of them follows from what it
says of 32 bits: where a result takes over the operands' dtype, it is as wide as they.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import ops
from tests.ops.cases import words

DTYPES = words("bool uint8 uint16 uint32 int8 int16 int32 float16 bfloat16 float32")
WIDE = {"int64": "int32", "float64": "float32"}
WIDER = {narrow: wide for wide, narrow in WIDE.items()}

UNARY = words("""
    abs absolute all amax amin angle any arccos arccosh arcsin arcsinh arctan arctanh
    argmax argmin argpartition argsort average bitwise_invert bitwise_not cbrt ceil celu
    conj conjugate copy corrcoef cos cosh count_nonzero cumprod cumsum deg2rad diag
    diagflat diagonal diff elu empty_like erf erfc erfinv exp exp2 expm1 fabs flip
    fliplr flipud floor gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh
    i0 imag isfinite isinf isnan isneginf isposinf isreal leaky_relu log log10 log1p
    log2 log_sigmoid log_softmax logical_not logsumexp max mean median min nan_to_num
    nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanprod
    nanstd nansum nanvar negative norm normalize ones_like prod ptp rad2deg ravel real
    reciprocal relu relu6 rot90 round rsqrt selu sigmoid sign signbit silu sin sinc sinh
    size soft_shrink softmax softplus softsign sort sparse_plus sparse_sigmoid sparsemax
    sqrt square squareplus squeeze std sum swish tan tanh tanh_shrink trace transpose
    trapezoid tril triu trunc unique var zeros_like
""")
BINARY = words("""
    add append arctan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift
    bitwise_xor cdist correlate cross digitize divide divide_no_nan dot equal
    floor_divide fmax fmin fmod greater greater_equal heaviside hypot inner isclose isin
    kron ldexp left_shift less less_equal logaddexp logaddexp2 logical_and logical_or
    logical_xor matmul maximum minimum mod multiply nextafter not_equal outer power
    right_shift searchsorted subtract tensordot true_divide vdot where
""")
SHAPES = {
    "correlate": ((3,), (2,)),
    "cross": ((2, 3), (2, 3)),
    "digitize": ((2, 2), (3,)),
    "searchsorted": ((3,), (3,)),
}
FURTHER = {"argpartition": (1,)}

# Keras infers the dtype of the operand; what JAX computes of integers is of floating
# point, if it computes anything.
REAL = words("""
    celu elu erf erfinv gelu glu hard_shrink hard_sigmoid hard_silu hard_swish
    leaky_relu log_sigmoid log_softmax rsqrt selu sigmoid silu soft_shrink softmax
    softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink
""")
# Keras infers float32; what JAX computes of half precision is of half precision.
HALF = words("logsumexp normalize reciprocal")
# Keras infers bool; JAX computes integers, and knows no negative truth.
OF_TRUTH = dict.fromkeys(words("floor_divide hard_tanh power relu6"), "int32")
OF_TRUTH |= dict.fromkeys(words("heaviside hypot"), "float32")
NO_TRUTH = words("cdist cross log_sigmoid negative ptp sign sparsemax subtract")
BITS = words("""
    bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor left_shift right_shift
""")
# Keras takes plain numbers for arrays here, or refuses them.
NO_NUMBERS = words("""
    append arctan2 cdist correlate cross digitize dot heaviside hypot inner isin kron
    ldexp matmul nextafter searchsorted tensordot vdot
""")


def inferred(name, dtypes):
    """Return the dtype that Keras infers, with JAX's word where it is another."""
    import keras

    operands = [
        keras.KerasTensor(shape, kind) if isinstance(kind, str) else kind
        for kind, shape in zip(dtypes, shapes(name), strict=False)
    ]
    function = getattr(keras.ops, name)
    if name == "where":
        operands = [keras.KerasTensor((2, 2), "bool"), *operands]
    y = function(*operands, *FURTHER.get(name, ()))
    found = (y[0] if isinstance(y, (tuple, list)) else y).dtype
    met = keras.backend.result_type(*(getattr(x, "dtype", type(x)) for x in operands))
    if set(dtypes) == {"bool"}:
        found = OF_TRUTH.get(name, found)
    if name in REAL and "float" not in found:
        return "float32"
    return met if name in HALF and "float" in met else found


def expected(name, dtypes):
    """Return the same for numbers of 64 bits, too."""
    found = inferred(name, dtypes)
    if "64" in found:
        return found
    narrow = [WIDE.get(kind, kind) for kind in dtypes]
    found = inferred(name, narrow)
    if found in WIDER and WIDER[found] in dtypes and follows(name, narrow, found):
        return WIDER[found]
    return found


def follows(name, dtypes, found):
    """Whether a function that yields `found` yields other dtypes of other operands."""
    other = ["int32" if kind == found else kind for kind in dtypes]
    if found == "int32":
        other = ["float32" if kind == found else kind for kind in dtypes]
    return found.startswith("float") or inferred(name, other) != found


def shapes(name):
    return SHAPES.get(name, ((2, 2), (2, 2)))


def both(name, dtypes):
    """Return the dtypes of what is computed at once, and of what is built."""
    makers = [
        lambda shape, kind: K.ones(shape, kind),
        lambda shape, kind: K.placeholder(shape, dtype=kind),
    ]
    for make in makers:
        operands = [
            make(shape, kind) if isinstance(kind, str) else kind
            for kind, shape in zip(dtypes, shapes(name), strict=False)
        ]
        if name == "where":
            operands = [make((2, 2), "bool"), *operands]
        y = getattr(ops, name)(*operands, *FURTHER.get(name, ()))
        yield str((y[0] if isinstance(y, (tuple, list)) else y).dtype)


def allowed(name, dtypes):
    if name in BITS and any("float" in str(kind) for kind in dtypes):
        return False
    return name not in NO_TRUTH or set(dtypes) != {"bool"}


@pytest.mark.parametrize("name", UNARY)
def test_dtype_of_one_operand(name):
    for kind in (*DTYPES, *WIDE):
        if allowed(name, [kind]):
            assert {*both(name, [kind])} == {expected(name, [kind])}, kind


@pytest.mark.parametrize("name", BINARY)
def test_dtype_of_two_operands(name):
    numbers = () if name in NO_NUMBERS else (2, 2.0)
    for pair in itertools.product((*DTYPES, *WIDE, *numbers), repeat=2):
        strong = any(isinstance(kind, str) for kind in pair)
        if strong and allowed(name, pair) and not (name in BITS and 2.0 in pair):
            assert {*both(name, pair)} == {expected(name, pair)}, pair


# -- values ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", words("square floor_divide mod power"))
def test_truth_values_count_as_integers(name):
    truth = np.array([True, True, False]), np.array([True, True, True])
    operands = truth[: 1 if name == "square" else 2]
    found = getattr(ops, name)(*operands)
    wanted = getattr(ops, name)(*(x.astype("int32") for x in operands))
    np.testing.assert_array_equal(found, wanted)


def test_numbers_of_a_byte_and_a_half():
    x = K.cast(np.array([[1.5, -2.5, 0.25]]), "bfloat16")
    np.testing.assert_array_equal(ops.trunc(x).astype("float32"), [[1, -2, 0]])
    values, places = ops.top_k(x, 2)
    np.testing.assert_array_equal(values.astype("float32"), [[1.5, 0.25]])
    np.testing.assert_array_equal(places, [[0, 2]])
    holes = K.cast(np.array([np.nan, np.inf]), "bfloat16")
    found = ops.nan_to_num(holes)
    assert found.dtype == x.dtype
    assert found[0] == 0
    assert np.isfinite(found.astype("float32")).all()


def test_extremes_of_integers_are_integers():
    x = np.array([[3, -1], [2, 7]], "int8")
    np.testing.assert_array_equal(ops.nanmax(x, 1), [3, 7])
    np.testing.assert_array_equal(ops.nanmin(x), -1)


def test_products_of_blocks_of_any_rank():
    x, y = np.arange(6.0).reshape(1, 2, 3), np.arange(4.0).reshape(2, 2)
    for pair in ((x, y), (y, x), (x, 2.0), (y[0], x)):
        np.testing.assert_array_equal(ops.kron(*pair), np.kron(*pair))
