"""One table of layers to compare with Keras: how each is made, and on what called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FIRST = "channels_first"


@dataclass(frozen=True)
class Case:
    """A layer by its name in both libraries, its arguments and its inputs' shapes."""

    layer: str
    args: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ((3, 4),)
    listed: bool = False  # the inputs come as a list
    integers: int = 0  # the inputs are below this
    random: bool = False  # in training it cannot be compared
    open_axes: tuple[int, ...] = (0,)  # whose size may be unknown

    @property
    def id(self) -> str:
        """Its name in the list of tests."""
        shown = ",".join(f"{k}={v}" for k, v in self.args.items())
        sizes = ",".join("x".join(map(str, shape)) for shape in self.shapes)
        return f"{self.layer}({shown})-{sizes}".replace(" ", "")


def case(layer: str, *shapes: tuple[int, ...], **kwargs: Any) -> Case:
    """Return a case; what is no field of it is an argument of the layer."""
    fields = {k: kwargs.pop(k) for k in Case.__dataclass_fields__ if k in kwargs}
    return Case(layer, kwargs, shapes or ((3, 4),), **fields)


SEQUENCE, SEQUENCE_FIRST = (2, 7, 4), (2, 4, 7)
IMAGE, IMAGE_FIRST = (2, 6, 7, 4), (2, 4, 6, 7)
VOLUME, VOLUME_FIRST = (2, 5, 4, 6, 2), (2, 2, 5, 4, 6)
IN_SPACE = {"open_axes": (0, 1, 2)}

CORE = [
    case("Dense", units=3),
    case("Dense", (2, 5, 4), units=3, activation="relu", open_axes=(0, 1)),
    case("Dense", units=2, use_bias=False, activation="softmax"),
    case(
        "Dense",
        units=3,
        kernel_regularizer="l2",
        bias_regularizer="l1",
        activity_regularizer="l2",
        kernel_constraint="non_neg",
        bias_initializer="ones",
    ),
    case(
        "ReversibleEmbedding",
        (2, 5),
        input_dim=9,
        output_dim=3,
        mask_zero=True,
        tie_weights=False,
        logit_soft_cap=2.0,
        integers=9,
    ),
    case("Activation", activation="tanh"),
    case("Identity"),
    case("Masking", (2, 3, 4), mask_value=0.5),
    case("Embedding", (2, 5), input_dim=9, output_dim=3, integers=9, open_axes=(0, 1)),
    case(
        "Embedding",
        (2, 5),
        input_dim=9,
        output_dim=3,
        mask_zero=True,
        embeddings_regularizer="l2",
        integers=9,
    ),
]

ACTIVATIONS = [
    case("ReLU"),
    case("ReLU", max_value=0.8, negative_slope=0.2, threshold=0.1),
    case("LeakyReLU"),
    case("LeakyReLU", negative_slope=0.1),
    case("PReLU", alpha_initializer="ones"),
    case("PReLU", IMAGE, shared_axes=[1, 2]),
    case("PReLU", SEQUENCE, shared_axes=1, alpha_regularizer="l1"),
    case("ELU", alpha=0.7),
    case("Softmax"),
    case("Softmax", (2, 3, 4), axis=1),
    case("Softmax", (2, 3, 4), axis=(1, 2)),
]

RESHAPING = [
    case("Flatten", (2, 3, 4)),
    case("Flatten", (5,)),
    case("Flatten", IMAGE_FIRST, data_format=FIRST),
    case("Reshape", (2, 6), target_shape=(3, 2)),
    case("Reshape", (2, 6), target_shape=(-1, 2)),
    case("Reshape", (2, 6, 2), target_shape=(-1,)),
    case("Permute", (2, 3, 4, 5), dims=(3, 1, 2), open_axes=(0, 1)),
    case("RepeatVector", n=3),
    case("Cropping1D", SEQUENCE, open_axes=(0, 1)),
    case("Cropping1D", SEQUENCE, cropping=(0, 2)),
    case("Cropping2D", IMAGE, cropping=1, **IN_SPACE),
    case("Cropping2D", IMAGE, cropping=((1, 0), (2, 1))),
    case("Cropping2D", IMAGE_FIRST, cropping=(1, 2), data_format=FIRST),
    case("Cropping3D", VOLUME),
    case(
        "Cropping3D", VOLUME_FIRST, cropping=((1, 0), (0, 1), (2, 2)), data_format=FIRST
    ),
    case("ZeroPadding1D", SEQUENCE, padding=(2, 1), open_axes=(0, 1)),
    case("ZeroPadding1D", SEQUENCE_FIRST, data_format=FIRST),
    case("ZeroPadding2D", IMAGE, padding=((1, 0), (2, 1)), **IN_SPACE),
    case("ZeroPadding2D", IMAGE_FIRST, padding=(1, 2), data_format=FIRST),
    case("ZeroPadding3D", VOLUME),
    case("ZeroPadding3D", VOLUME_FIRST, padding=2, data_format=FIRST),
    case("UpSampling1D", SEQUENCE, size=3, open_axes=(0, 1)),
    case("UpSampling2D", IMAGE, **IN_SPACE),
    case("UpSampling2D", IMAGE_FIRST, size=(1, 3), data_format=FIRST),
    case("UpSampling2D", IMAGE, size=(2, 3), interpolation="bilinear"),
    case(
        "UpSampling2D", IMAGE_FIRST, size=4, interpolation="bilinear", data_format=FIRST
    ),
    case("UpSampling3D", VOLUME, size=(1, 2, 3)),
    case("UpSampling3D", VOLUME_FIRST, data_format=FIRST),
]

NOISE = {"random": True}
REGULARIZATION = [
    case("Dropout", rate=0.5, **NOISE),
    case("Dropout", rate=0.0),
    case("Dropout", SEQUENCE, rate=0.3, noise_shape=(None, 1, 4), seed=3, **NOISE),
    case("SpatialDropout1D", SEQUENCE, rate=0.4, **NOISE),
    case("SpatialDropout2D", IMAGE, rate=0.4, seed=1, **NOISE),
    case("SpatialDropout2D", IMAGE_FIRST, rate=0.4, data_format=FIRST, **NOISE),
    case("SpatialDropout3D", VOLUME, rate=0.4, **NOISE),
    case("GaussianNoise", stddev=0.2, **NOISE),
    case("GaussianDropout", rate=0.2, **NOISE),
    case("AlphaDropout", rate=0.2, **NOISE),
    case("ActivityRegularization", l1=0.1, l2=0.3),
]

CONV = [
    case("Conv1D", SEQUENCE, filters=3, kernel_size=3, open_axes=(0, 1)),
    case(
        "Conv1D", SEQUENCE, filters=3, kernel_size=2, padding="causal", dilation_rate=2
    ),
    case("Conv1D", SEQUENCE_FIRST, filters=3, kernel_size=2, data_format=FIRST),
    case("Conv2D", IMAGE, filters=3, kernel_size=3, **IN_SPACE),
    case(
        "Conv2D",
        IMAGE,
        filters=3,
        kernel_size=(2, 3),
        strides=2,
        padding="same",
        activation="relu",
        kernel_regularizer="l2",
    ),
    case("Conv2D", IMAGE, filters=4, kernel_size=2, groups=2, use_bias=False),
    case(
        "Conv2D", IMAGE, filters=2, kernel_size=2, dilation_rate=(1, 2), padding="same"
    ),
    case(
        "Conv2D",
        IMAGE_FIRST,
        filters=3,
        kernel_size=3,
        padding="same",
        data_format=FIRST,
    ),
    case("Conv3D", VOLUME, filters=3, kernel_size=2),
    case(
        "Conv3D", VOLUME_FIRST, filters=3, kernel_size=2, strides=2, data_format=FIRST
    ),
    case("Conv1DTranspose", SEQUENCE, filters=3, kernel_size=3, strides=2),
    case("Conv2DTranspose", IMAGE, filters=3, kernel_size=3, strides=2, padding="same"),
    case(
        "Conv2DTranspose",
        IMAGE,
        filters=3,
        kernel_size=(3, 2),
        strides=(2, 3),
        output_padding=(1, 2),
    ),
    case("Conv2DTranspose", IMAGE_FIRST, filters=2, kernel_size=2, data_format=FIRST),
    case("Conv3DTranspose", VOLUME, filters=3, kernel_size=2, padding="same"),
    case("DepthwiseConv1D", SEQUENCE, kernel_size=3, depth_multiplier=2),
    case("DepthwiseConv2D", IMAGE, kernel_size=3, padding="same", strides=2),
    case(
        "DepthwiseConv2D", IMAGE_FIRST, kernel_size=2, data_format=FIRST, use_bias=False
    ),
    case("SeparableConv1D", SEQUENCE, filters=3, kernel_size=3),
    case("SeparableConv2D", IMAGE, filters=3, kernel_size=2, depth_multiplier=2),
    case(
        "SeparableConv2D",
        IMAGE_FIRST,
        filters=3,
        kernel_size=3,
        padding="same",
        activation="elu",
        data_format=FIRST,
    ),
]

POOLING = [
    *(
        case(f"{kind}Pooling{n}D", shape, pool_size=2, open_axes=tuple(range(n + 1)))
        for kind in ("Max", "Average")
        for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    ),
    *(
        case(
            f"{kind}Pooling{n}D",
            shape,
            pool_size=3,
            strides=2,
            padding="same",
            data_format=FIRST,
        )
        for kind in ("Max", "Average")
        for n, shape in ((1, SEQUENCE_FIRST), (2, IMAGE_FIRST), (3, VOLUME_FIRST))
    ),
    *(
        case(f"Global{kind}Pooling{n}D", shape, open_axes=tuple(range(n + 1)))
        for kind in ("Max", "Average")
        for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    ),
    *(
        case(f"Global{kind}Pooling{n}D", shape, keepdims=True, data_format=FIRST)
        for kind in ("Max", "Average")
        for n, shape in ((1, SEQUENCE_FIRST), (2, IMAGE_FIRST), (3, VOLUME_FIRST))
    ),
]

POOLING += [
    *(
        case(f"Adaptive{kind}Pooling{n}D", shape, output_size=3)
        for kind in ("Max", "Average")
        for n, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME))
    ),
    case("AdaptiveMaxPooling1D", SEQUENCE_FIRST, output_size=[2], data_format=FIRST),
    case(
        "AdaptiveAveragePooling2D", IMAGE_FIRST, output_size=(2, 5), data_format=FIRST
    ),
]

NORMALIZATION = [
    case("BatchNormalization"),
    case("BatchNormalization", IMAGE, momentum=0.7, epsilon=0.1, **IN_SPACE),
    case("BatchNormalization", IMAGE_FIRST, axis=1, scale=False),
    case(
        "BatchNormalization",
        center=False,
        gamma_regularizer="l2",
        moving_mean_initializer="ones",
    ),
    case("LayerNormalization"),
    case("LayerNormalization", IMAGE, axis=[1, 3], epsilon=0.1),
    case("LayerNormalization", center=False, scale=False, open_axes=(0,)),
    case("GroupNormalization", IMAGE, groups=2, **IN_SPACE),
    case("GroupNormalization", IMAGE_FIRST, groups=-1, axis=1, center=False),
    case("RMSNormalization"),
    case("RMSNormalization", (2, 3, 4), axis=(1, 2), epsilon=0.1),
    case("UnitNormalization", (2, 3, 4)),
    case("UnitNormalization", (2, 3, 4), axis=[1, 2]),
]

PAIR = {"listed": True}
MERGING = [
    *(
        case(layer, (2, 3, 4), (2, 3, 4), **PAIR)
        for layer in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    ),
    case("Add", (2, 3, 4), (2, 4), (2, 1, 4), **PAIR),
    case("Concatenate", (2, 3), (2, 4), **PAIR),
    case("Concatenate", (2, 3, 4), (2, 2, 4), axis=1, **PAIR),
    case("Dot", (2, 4), (2, 4), axes=1, **PAIR),
    case("Dot", (2, 3, 4), (2, 5, 4), axes=-1, normalize=True, **PAIR),
    case("Dot", (2, 3, 4), (2, 4, 5), axes=(2, 1), **PAIR),
]

PREPROCESSING = [
    case("Rescaling", scale=2.0, offset=-1.0),
    case("Normalization", mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 2.0]),
    case("Normalization", axis=None, mean=0.5, variance=4.0, invert=True),
    case("Normalization"),
    case("Normalization", IMAGE, axis=(1, -1)),
]

RECURRENT = [
    *(
        case(layer, SEQUENCE, units=3, open_axes=(0, 1))
        for layer in ("SimpleRNN", "LSTM", "GRU")
    ),
    *(
        case(
            layer,
            SEQUENCE,
            units=3,
            return_sequences=True,
            go_backwards=True,
            use_bias=False,
            activation="relu",
            kernel_regularizer="l2",
        )
        for layer in ("SimpleRNN", "LSTM", "GRU")
    ),
    case("LSTM", SEQUENCE, units=3, unit_forget_bias=False, unroll=True),
    case(
        "GRU", SEQUENCE, units=3, reset_after=False, recurrent_activation="hard_sigmoid"
    ),
    case("GRU", SEQUENCE, units=3, reset_after=False, use_bias=False),
    case("LSTM", SEQUENCE, units=3, dropout=0.4, recurrent_dropout=0.2, **NOISE),
]

MOVIE, MOVIE_FIRST = (2, 3, 5, 6, 2), (2, 3, 2, 5, 6)
CONV_RECURRENT = [
    case("ConvLSTM1D", (2, 4, 7, 2), filters=2, kernel_size=3, open_axes=(0, 1)),
    case("ConvLSTM2D", MOVIE, filters=2, kernel_size=(2, 3), padding="same"),
    case(
        "ConvLSTM2D",
        MOVIE,
        filters=2,
        kernel_size=2,
        dilation_rate=2,
        use_bias=False,
        return_sequences=True,
        go_backwards=True,
        activation="relu",
        recurrent_activation="hard_sigmoid",
        kernel_regularizer="l2",
        open_axes=(0, 1),
    ),
    case(
        "ConvLSTM2D",
        MOVIE_FIRST,
        filters=3,
        kernel_size=2,
        strides=(2, 1),
        unit_forget_bias=False,
        data_format=FIRST,
    ),
    case("ConvLSTM3D", (2, 3, 4, 3, 3, 2), filters=2, kernel_size=2),
    case("ConvLSTM1D", (2, 4, 7, 2), filters=2, kernel_size=3, dropout=0.4, **NOISE),
]

EINSUM_DENSE = [
    case("EinsumDense", equation="ab,bc->ac", output_shape=3, bias_axes="c"),
    case(
        "EinsumDense",
        SEQUENCE,
        equation="abc,cde->abde",
        output_shape=(7, 3, 2),
        bias_axes="de",
        activation="relu",
        kernel_regularizer="l2",
        activity_regularizer="l1",
    ),
    case("EinsumDense", SEQUENCE, equation="abc,bcd->ad", output_shape=5),
    case(
        "EinsumDense",
        (2, 7, 4, 3),
        equation="abcd,cde->aeb",
        output_shape=(5, 7),
        bias_axes="e",
    ),
    case(
        "EinsumDense",
        SEQUENCE,
        equation="...x,xy->...y",
        output_shape=5,
        bias_axes="y",
        open_axes=(0, 1),
    ),
    case(
        "EinsumDense",
        IMAGE_FIRST,
        equation="ab...,bc->ac...",
        output_shape=5,
        bias_axes="c",
        open_axes=(0, 2, 3),
    ),
]

TWO, THREE = ((2, 3, 4), (2, 5, 4)), ((2, 3, 4), (2, 5, 6), (2, 5, 4))
STEPS = {"listed": True, "open_axes": (0, 1)}
ATTENTION = [
    case("Attention", *TWO, **STEPS),
    case("Attention", *THREE, use_scale=True, seed=3, **STEPS),
    case("Attention", *TWO, score_mode="concat", **STEPS),
    case("Attention", *THREE, score_mode="concat", use_scale=True, **STEPS),
    case("Attention", *TWO, dropout=0.3, **STEPS, **NOISE),
    case("AdditiveAttention", *TWO, **STEPS),
    case("AdditiveAttention", *THREE, use_scale=False, **STEPS),
]

SIGNALS, SIGNALS_FIRST = (2, 41, 2), (2, 2, 41)
SPECTROGRAMS = [
    case("STFTSpectrogram", SIGNALS, frame_length=8, open_axes=(0, 1)),
    case("STFTSpectrogram", SIGNALS, frame_length=6, mode="psd", padding="same"),
    *(
        case("STFTSpectrogram", SIGNALS, mode=mode, frame_length=8, frame_step=3)
        for mode in ("magnitude", "real", "imag", "angle", "stft")
    ),
    case("STFTSpectrogram", SIGNALS, frame_length=8, expand_dims=True, fft_length=16),
    *(
        case(
            "STFTSpectrogram",
            SIGNALS_FIRST,
            mode="stft",
            frame_length=8,
            window=window,
            scaling=scaling,
            periodic=True,
            expand_dims=expand,
            data_format=FIRST,
        )
        for window, scaling, expand in [
            ("hamming", "spectrum", False),
            (None, "density", True),
        ]
    ),
    case("MelSpectrogram", (3, 90), fft_length=32, sequence_stride=8, num_mel_bins=5),
    case(
        "MelSpectrogram",
        (90,),
        fft_length=32,
        sequence_length=24,
        sequence_stride=8,
        window="hamming",
        sampling_rate=8000,
        num_mel_bins=4,
        max_freq=3000.0,
        mag_exp=1.0,
        top_db=20.0,
        ref_power=2.0,
    ),
    case(
        "MelSpectrogram",
        (2, 90),
        fft_length=64,
        sequence_stride=8,
        num_mel_bins=4,
        power_to_db=False,
        open_axes=(0, 1),
    ),
]

CASES = [
    *CORE,
    *ACTIVATIONS,
    *RESHAPING,
    *REGULARIZATION,
    *CONV,
    *POOLING,
    *NORMALIZATION,
    *MERGING,
    *PREPROCESSING,
    *RECURRENT,
    *CONV_RECURRENT,
    *EINSUM_DENSE,
    *ATTENTION,
    *SPECTROGRAMS,
]
