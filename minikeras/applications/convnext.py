"""ConvNeXt: a convolutional network with the habits of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    check_activation,
    documented,
    image_shape,
    only_channels_last,
)
from minikeras.applications.imagenet_utils import (
    MODES,
    decode_predictions,
    preprocessor,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.applications.scaling import LayerScale
from minikeras.layers import (
    Activation,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    LayerNormalization,
    Normalization,
)
from minikeras.models import Functional, Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]


PREPROCESSING = """
        include_preprocessing: whether images in [0, 255] are scaled by the model.
    """


def _norm(name: str | None = None) -> LayerNormalization:
    return LayerNormalization(epsilon=1e-6, name=name)


def _block(x: Any, channels: int, name: str) -> Any:
    """Convolve each channel, mix them in two dense layers, scale; add the input."""
    y = chain(
        x,
        Conv2D(
            channels, 7, padding="same", groups=channels, name=f"{name}_depthwise_conv"
        ),
        _norm(f"{name}_layernorm"),
        Dense(4 * channels, name=f"{name}_pointwise_conv_1"),
        Activation("gelu", name=f"{name}_gelu"),
        Dense(channels, name=f"{name}_pointwise_conv_2"),
        LayerScale(1e-6, channels, name=f"{name}_layer_scale"),
        Activation("linear", name=f"{name}_identity"),
    )
    return x + y


def _entrances(channels: tuple[int, ...], name: str) -> list[Sequential]:
    """Return what stands before each stage: it shrinks the images, and widens them."""
    conv, norm = f"{name}_stem_conv", _norm(f"{name}_stem_layernorm")
    stem = [Conv2D(channels[0], 4, strides=4, name=conv), norm]
    found = [Sequential(stem, name=f"{name}_stem")]
    for i, filters in enumerate(channels[1:]):
        norm = _norm(f"{name}_downsampling_layernorm_{i}")
        conv = f"{name}_downsampling_conv_{i}"
        layers = [norm, Conv2D(filters, 2, strides=2, name=conv)]
        found.append(Sequential(layers, name=f"{name}_downsampling_block_{i}"))
    return found


def _normalized(x: Any, name: str) -> Any:
    """Normalize pixels in [0, 255], of color images alone."""
    if x.shape[-1] != 3:
        return x
    mode = MODES["torch"]
    return Normalization(
        mean=[mean * 255 for mean in mode.mean],
        variance=[(deviation * 255) ** 2 for deviation in mode.deviation],
        name=f"{name}_prestem_normalization",
    )(x)


def _top(x: Any, request: Request) -> Any:
    check_activation(request)
    name = f"{request.name}_head"
    return chain(
        x,
        GlobalAveragePooling2D(name=f"{name}_gap"),
        _norm(f"{name}_layernorm"),
        Dense(request.classes, request.classifier_activation, name=f"{name}_dense"),
    )


def _normed(x: Any) -> Any:
    return _norm()(x)


def _body(x: Any, depths: tuple[int, ...], width: int, name: str) -> Any:
    channels = tuple(width * 2**i for i in range(len(depths)))
    for i, entrance in enumerate(_entrances(channels, name)):
        x = entrance(x)
        for j in range(depths[i]):
            x = _block(x, channels[i], f"{name}_stage_{i}_block_{j}")
    return x


def _application(
    variant: str, depths: tuple[int, ...], width: int, hashes: tuple[str, str]
) -> Any:
    title, stem = f"ConvNeXt{variant}", f"convnext_{variant.lower()}"
    release = Release(stem, hashes, folder=f"{KERAS}convnext/")

    def make(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        input_shape: tuple[int | None, ...] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = stem,
    ) -> Functional:
        def body(x: Any) -> Any:
            x = _normalized(x, name) if include_preprocessing else x
            return _body(x, depths, width, name)

        only_channels_last("ConvNeXt")
        request = Request(
            include_top,
            weights,
            input_tensor,
            input_shape,
            pooling,
            classes,
            classifier_activation,
            name,
        )
        shape = image_shape(request, 224)
        return assemble(
            request, shape, body, release, top=_top, named=False, end=_normed
        )

    summary = "a network with the habits of transformers, images of 224 by 224"
    source = "Liu et al. 2022, arXiv:2201.03545"
    return documented(make, title, __name__, summary, source, PREPROCESSING)


DEEP = (3, 3, 27, 3)
ConvNeXtTiny = _application(
    "Tiny",
    (3, 3, 9, 3),
    96,
    (
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
)
ConvNeXtSmall = _application(
    "Small",
    DEEP,
    96,
    (
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
)
ConvNeXtBase = _application(
    "Base",
    DEEP,
    128,
    (
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
)
ConvNeXtLarge = _application(
    "Large",
    DEEP,
    192,
    (
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
)
ConvNeXtXLarge = _application(
    "XLarge",
    DEEP,
    256,
    (
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
)
preprocess_input = preprocessor(None)
