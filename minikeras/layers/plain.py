"""Functions of `ops` as operations: what ``x + y`` between two layers becomes.

Keras has a class for each, `Add` for `add`, and its files have their names. Here one
class serves them all; which of a function's arguments are told to the class, and which
to its call, is the same rule throughout: those that may be tensors belong to the call.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from inspect import BoundArguments, Parameter, Signature, signature
from typing import TYPE_CHECKING, ClassVar

from minikeras import backend as K
from minikeras.layers.arguments import is_turned_off
from minikeras.layers.history import symbolic_leaves
from minikeras.layers.operation import Operation

if TYPE_CHECKING:
    from typing import Any  # when it runs, `Any` is one of the classes

__all__ = ["PlainOperation", "homes", "operation_class"]

# Keras's classes, by the modules that its files name.
_HOMES = {
    "keras.src.ops.core": """
        AssociativeScan Cast Cond ConvertToTensor ForiLoop Map SaturateCast Scan Scatter
        ScatterUpdate Slice SliceUpdate StopGradient Switch Unstack VectorizedMap
        WhileLoop
    """,
    "keras.src.ops.einops": "Rearrange",
    "keras.src.ops.image": """
        AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB
        MapCoordinates PadImages PerspectiveTransform RGBToGrayscale RGBToHSV Resize
        SSIM ScaleAndTranslate SobelEdges
    """,
    "keras.src.ops.linalg": """
        Cholesky CholeskyInverse Det Eig Eigh Inv JVP Lstsq LuFactor MatrixRank Norm
        Pinv Qr SVD Solve SolveTriangular
    """,
    "keras.src.ops.math": """
        CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 IRFFT ISTFT InTopK Logdet
        Logsumexp RFFT Rsqrt STFT SegmentMax SegmentMin SegmentProd SegmentSum TopK
        ViewAsComplex ViewAsReal
    """,
    "keras.src.ops.nn": """
        AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy
        CTCDecode CTCLoss CategoricalCrossentropy Celu Conv ConvTranspose DepthToSpace
        DepthwiseConv DotProductAttention Elu Fold Gelu Glu HardShrink HardSigmoid
        HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments
        MultiHot Normalize OneHot PSNR Polar RMSNorm Relu Relu6 Selu SeparableConv
        Sigmoid Silu SoftShrink Softmax Softplus Softsign SpaceToDepth
        SparseCategoricalCrossentropy SparsePlus SparseSigmoid Sparsemax Squareplus
        TanhShrink Threshold Unfold
    """,
    "keras.src.ops.numpy": """
        Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh
        Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin Argpartition Argsort Array
        ArraySplit Average Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot
        BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cbrt Ceil Clip Concatenate
        Conj Conjugate Copy Corrcoef Correlate Cos Cosh CountNonzero Cross Cumprod
        Cumsum Deg2rad Diag Diagflat Diagonal Diff Digitize Divide DivideNoNan Dot
        Dsplit Dstack Einsum EmptyLike Equal Exp Exp2 ExpandDims Expm1 Fabs Flip Fliplr
        Flipud Floor FloorDivide Fmax Fmin Fmod Full FullLike Gcd Geomspace GetItem
        Greater GreaterEqual Heaviside Histogram Hsplit Hstack Hypot I0 Imag Inner IsIn
        Isclose Isfinite Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp LeftShift
        Less LessEqual Linspace Log Log10 Log1p Log2 Logaddexp Logaddexp2 LogicalAnd
        LogicalNot LogicalOr LogicalXor Logspace Matmul Max Maximum Mean Median Meshgrid
        Min Minimum Mod Moveaxis Multiply NanToNum Nanargmax Nanargmin Nancumprod
        Nancumsum Nanmax Nanmean Nanmedian Nanmin Nanpercentile Nanprod Nanquantile
        Nanstd Nansum Nanvar Ndim Negative Nextafter Nonzero NotEqual OnesLike Outer Pad
        Percentile Power Prod Ptp Quantile Rad2deg Ravel Real Reciprocal Repeat Reshape
        RightShift Roll Rot90 Round SearchSorted Select Sign Signbit Sin Sinc Sinh Size
        Slogdet Sort Split Sqrt Square Squeeze Stack Std Subtract Sum Swapaxes Take
        TakeAlongAxis Tan Tanh Tensordot Tile Trace Transpose Trapezoid Tril Triu
        TrueDivide Trunc Unique UnravelIndex Vander Var Vdot View Vsplit Vstack Where
        ZerosLike
    """,
    "keras.src.activations.activations": "Mish ReLU",
}
# Rooms with the functions of these; those of all others are in `ops`.
_ROOMS = {
    "keras.src.activations.activations": "minikeras.activations",
    "keras.src.ops.image": "minikeras.ops.image",
}
# Functions that are not called as their classes are, in small letters.
_FUNCTIONS = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "CDist": "cdist",
    "HSVToRGB": "hsv_to_rgb",
    "IsIn": "isin",
    "LayerNorm": "layer_normalization",
    "RGBToGrayscale": "rgb_to_grayscale",
    "RGBToHSV": "rgb_to_hsv",
    "RMSNorm": "rms_normalization",
    "ReLU": "relu",
    "SSIM": "ssim",
    "SearchSorted": "searchsorted",
}
# Arguments that may be tensors, and so belong to the call; and where that is not so.
_TENSORS = """
    a abs_ angle array axes_lengths b beta bias branches choicelist condition condlist
    constant_values coordinates data default depthwise_kernel elements elems end_points
    f false_fn fun gamma image1 image2 images index indices init init_val inputs kernel
    key loop_vars mask mean offset operands output output_length output_shape
    pattern pointwise_kernel pred predictions primals q query scale segment_ids
    sequence_lengths sorted_sequence start start_indices start_points step stop tangents
    target target_length targets tensor transform translation true_fn updates value
    values variable variance x x1 x2 xs y
"""
_ONLY_THERE = {
    "Average": "weights",
    "Digitize": "bins",
    "Einsum": "kwargs",
    "Full": "fill_value",
    "FullLike": "fill_value",
    "Isclose": "rtol atol",
}
_NOT_THERE = {
    "Diagonal": "offset",
    "Squareplus": "b",
    "Trace": "offset",
    "Trapezoid": "x",
}


class PlainOperation(Operation):
    """A function of `ops` as an operation; a subclass for each, by Keras's name.

    Args:
        args: the settings among the function's arguments, in their order.
        name: by default the class's name in snake case, made unique.
        kwargs: settings by name.

    Raises:
        TypeError: if they are not what the function takes.

    Example:
        >>> operation_class("Mean")(axis=-1)(np.float32([[1, 2], [3, 5]]))
        array([1.5, 4. ], dtype=float32)
    """

    function: ClassVar[Callable[..., Any]]
    arguments: ClassVar[Signature]  # of the function
    settings: ClassVar[Signature]  # those that the class is made with
    operands: ClassVar[Signature]  # those of `call`

    def __init__(self, *args: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name)
        taken = self.settings.parameters
        given = {
            k: v for k, v in kwargs.items() if k in taken or not is_turned_off(k, v)
        }
        bound = self.settings.bind(*args, **given)
        bound.apply_defaults()
        self._settings = bound.arguments

    def call(self, *args: Any, **kwargs: Any) -> Any:
        given = {**self._settings, **self.operands.bind(*args, **kwargs).arguments}
        in_order = {k: given[k] for k in self.arguments.parameters if k in given}
        bound = BoundArguments(self.arguments, in_order)  # type: ignore[arg-type]
        return type(self).function(*bound.args, **bound.kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the settings, and the name.

        Raises:
            TypeError: if one of them cannot be written to a file.
        """
        config = {"name": self.name, **self._settings}
        rest = [*self.settings.parameters.values()][-1:]
        if rest and rest[0].kind is Parameter.VAR_KEYWORD:
            config.update(config.pop(rest[0].name, {}))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return one made from the result of `get_config`, functions among it too."""
        return super().from_config(
            {
                k: K.deserialize_keras_object(v) if isinstance(v, dict) else v
                for k, v in config.items()
            }
        )


class _Indexing(PlainOperation):
    """``x[key]``. In a file a list stands for a tuple, in which lists are lists."""

    def call(self, x: Any, key: Any) -> Any:
        return super().call(x, tuple(key) if isinstance(key, list) else key)


# -- classes, made when they are asked for ---------------------------------------------


@functools.cache
def operation_class(name: str) -> type[PlainOperation]:
    """Return the class of operations that Keras calls `name`.

    Raises:
        AttributeError: if there is none.
    """
    home = homes.get(name)
    if home is None:
        raise AttributeError(f"no function of `ops` makes an operation '{name}'")
    room = importlib.import_module(_ROOMS.get(home, "minikeras.ops"))
    function = getattr(room, _FUNCTIONS.get(name) or K.to_snake_case(name))
    arguments = signature(function)
    tensors = {*_TENSORS.split(), *_ONLY_THERE.get(name, "").split()} - {
        _NOT_THERE.get(name)
    }
    told = [p for p in arguments.parameters.values() if p.name not in tensors]
    called = [p for p in arguments.parameters.values() if p.name in tensors]
    own = Parameter("name", Parameter.KEYWORD_ONLY, default=None)
    rest = [p for p in told if p.kind is Parameter.VAR_KEYWORD]
    members = {
        "__module__": __name__,
        "__doc__": function.__doc__,
        "__signature__": Signature([*told[: len(told) - len(rest)], own, *rest]),
        "function": staticmethod(function),
        "arguments": arguments,
        "settings": Signature(told),
        "operands": Signature(called),
    }
    base = _Indexing if name == "GetItem" else PlainOperation
    made: Any = type(name, (base,), members)
    return made


homes = {name: home for home, names in _HOMES.items() for name in names.split()}


@functools.cache
def _classes() -> Mapping[str, str]:
    """Return Keras's classes by the names of their functions."""
    named = {_FUNCTIONS.get(n, K.to_snake_case(n)): n for n in reversed(homes)}
    return {**named, "re_lu": "ReLU"}  # of `activations`; that of `ops` is `Relu`


def joined(
    function: str, compute: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> Any:
    """Call a function on tensors of a model as an operation of the model.

    One that Keras has no class for, and one whose settings are tensors, is just called:
    it can be a part of a model as well, but of none that goes into a file.
    """
    name = _classes().get(function)
    if name is None:
        return compute(*args, **kwargs)
    made = operation_class(name)
    try:
        given = made.arguments.bind(*args, **kwargs).arguments
    except TypeError:
        return compute(*args, **kwargs)
    told = {k: v for k, v in given.items() if k in made.settings.parameters}
    if symbolic_leaves(told):
        return compute(*args, **kwargs)
    called = {k: v for k, v in given.items() if k in made.operands.parameters}
    if isinstance(called.get("key"), list):
        called["key"] = (called["key"],)
    bound = BoundArguments(made.operands, called)  # type: ignore[arg-type]
    return made(**told)(*bound.args, **bound.kwargs)


def __getattr__(name: str) -> Any:
    return operation_class(name)


Operation.joined = staticmethod(joined)
for _name, _home in homes.items():
    K.publish_late({_name: __name__}, _home)
