"""What goes into a model of ImageNet, and what comes out: pixels and class names."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minikeras import backend as K
from minikeras import ops
from minikeras.applications.releases import download

__all__ = [
    "correct_pad",
    "decode_predictions",
    "obtain_input_shape",
    "preprocess_input",
    "preprocessor",
]

CLASS_INDEX: dict[str, list[str]] | None = None
CLASS_INDEX_PATH = (
    "https://storage.googleapis.com/download.tensorflow.org/"
    "data/imagenet_class_index.json"
)
CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"


class Mode(NamedTuple):
    """How pixels are scaled: ``(x / scale - mean) / deviation``, channel by channel.

    Args:
        scale: for all channels.
        mean: of each channel, after that.
        deviation: of each channel.
        to_bgr: whether the channels first change their order.
    """

    scale: float | None = None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    to_bgr: bool = False


# Means and deviations of ImageNet's training images, per channel.
MODES = {
    "caffe": Mode(mean=(103.939, 116.779, 123.68), to_bgr=True),
    "tf": Mode(127.5, (1.0, 1.0, 1.0)),
    "torch": Mode(255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def preprocess_input(
    x: Any, data_format: str | None = None, mode: str = "caffe"
) -> Any:
    """Scale the pixels of images as a model was trained to see them.

    Floating arrays are changed in place; copy those that are needed afterwards.

    Args:
        x: an image or a batch of them, three channels, values in [0, 255].
        data_format: `"channels_last"` or `"channels_first"`; None for the setting.
        mode: `"caffe"` takes RGB to BGR and subtracts ImageNet's mean; `"tf"` scales to
            [-1, 1]; `"torch"` scales to [0, 1], then to ImageNet's mean and deviation.

    Raises:
        ValueError: for another mode or another format.

    Example:
        >>> import numpy as np
        >>> preprocess_input(np.full((1, 1, 3), 255.0), mode="tf")
        array([[[1., 1., 1.]]])
    """
    if mode not in MODES:
        raise ValueError(
            "Expected mode to be one of `caffe`, `tf` or `torch`. "
            f"Received: mode={mode}"
        )
    if data_format is None:
        data_format = K.image_data_format()
    elif data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            "Expected data_format to be one of `channels_first` or `channels_last`. "
            f"Received: data_format={data_format}"
        )
    axis = -3 if data_format == "channels_first" else -1
    scaled = _scaled_array if isinstance(x, np.ndarray) else _scaled_tensor
    return scaled(x, MODES[mode], axis)


def _along(values: tuple[float, ...], axis: int) -> np.ndarray:
    """Return values of the channels, in a shape that meets the images'."""
    return np.reshape(values, (-1, *(1,) * (-1 - axis)))


def _scaled_array(x: np.ndarray, mode: Mode, axis: int) -> np.ndarray:
    if not np.issubdtype(x.dtype, np.floating):
        x = x.astype(K.floatx())
    if mode.to_bgr:
        x = np.flip(x, axis)
    if mode.scale:
        x /= mode.scale
    x -= _along(mode.mean, axis).astype(x.dtype)
    if mode.deviation:
        x /= _along(mode.deviation, axis).astype(x.dtype)
    return x


def _scaled_tensor(x: Any, mode: Mode, axis: int) -> Any:
    if mode.to_bgr:
        x = ops.flip(x, axis=axis)
    if mode.scale:
        x = x / mode.scale
    x = x - ops.convert_to_tensor(_along(mode.mean, axis), dtype=x.dtype)
    if mode.deviation:
        x = x / ops.convert_to_tensor(_along(mode.deviation, axis), dtype=x.dtype)
    return x


def preprocessor(mode: str | None) -> Callable[..., Any]:
    """Return a family's `preprocess_input`.

    Args:
        mode: as in `preprocess_input`; None where the model itself scales its input.
    """

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return preprocess_input(x, data_format, mode) if mode else x

    how = (
        f"Mode {mode!r} of `imagenet_utils.preprocess_input`."
        if mode
        else "They scale it themselves, in their first layers: nothing is changed."
    )
    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"""Scale the pixels of images as the family's models expect.

    {how}

    Args:
        x: an image or a batch of them, three channels, values in [0, 255].
        data_format: `"channels_last"` or `"channels_first"`; None for the setting.
    """
    return preprocess


def _class_index() -> dict[str, list[str]]:
    """Return ImageNet's classes by their number, as text: WordNet's number, a word."""
    global CLASS_INDEX
    if CLASS_INDEX is None:
        path = download("imagenet_class_index.json", CLASS_INDEX_PATH, CLASS_INDEX_HASH)
        CLASS_INDEX = json.loads(Path(path).read_text(encoding="utf-8"))
    return CLASS_INDEX  # type: ignore[return-value]


def decode_predictions(
    preds: Any, top: int = 5
) -> list[list[tuple[str, str, np.floating]]]:
    """Return the likeliest classes of each image, the likeliest first.

    The names are fetched once, as a file of Keras's.

    Args:
        preds: probabilities of the 1000 classes of ImageNet, or other scores.
        top: how many classes to return.

    Shapes:
        preds: (batch, 1000)
        returns: for each image a list of (WordNet's number, name, score)

    Raises:
        ValueError: for another shape.
    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of "
            f"shape (samples, 1000)). Received array with shape: {preds.shape}"
        )
    index = _class_index()
    return [
        [(*index[str(i)], row[i]) for i in np.argsort(row)[-top:][::-1]]  # type: ignore[misc]
        for row in ops.convert_to_numpy(preds)
    ]


def obtain_input_shape(
    input_shape: tuple[int | None, ...] | None,
    default_size: int | None,
    min_size: int,
    data_format: str,
    require_flatten: bool,
    weights: str | None = None,
) -> tuple[int | None, ...]:
    """Return the shape of a model's images, after checking what was asked for.

    Args:
        input_shape: what was asked for, or None.
        default_size: of images, in pixels, if nothing was.
        min_size: height and width below it are refused.
        data_format: `"channels_last"` or `"channels_first"`.
        require_flatten: whether the shape must be known, as a classifier follows.
        weights: `"imagenet"` demands three channels.

    Raises:
        ValueError: if the shape does not suit.
    """
    first = data_format == "channels_first"
    pretrained = weights == "imagenet"
    channels = 3
    if not pretrained and input_shape and len(input_shape) == 3:
        channels = input_shape[0 if first else -1]
        _warn_of_channels(channels)
    sides = (default_size, default_size)
    default = (channels, *sides) if first else (*sides, channels)
    if pretrained and require_flatten:
        if input_shape is not None and tuple(input_shape) != default:
            raise ValueError(
                "When setting `include_top=True` and loading `imagenet` weights, "
                f"`input_shape` should be {default}.  Received: "
                f"input_shape={input_shape}"
            )
        return default
    if input_shape:
        _check_shape(input_shape, min_size, first, pretrained)
    elif require_flatten:
        input_shape = default
    else:
        input_shape = (3, None, None) if first else (None, None, 3)
    if require_flatten and None in input_shape:
        raise ValueError(
            "If `include_top` is True, you should specify a static `input_shape`. "
            f"Received: input_shape={input_shape}"
        )
    return input_shape


def _warn_of_channels(channels: int | None) -> None:
    if channels not in (1, 3):
        warnings.warn(
            "This model usually expects 1 or 3 input channels. However, it was passed "
            f"an input_shape with {channels} input channels.",
            stacklevel=3,
        )


def _check_shape(
    shape: tuple[int | None, ...], least: int, first: bool, pretrained: bool
) -> None:
    """Refuse images without height, width and channels, and those too small."""
    if len(shape) != 3:
        raise ValueError("`input_shape` must be a tuple of three integers.")
    if pretrained and shape[0 if first else -1] != 3:
        raise ValueError(
            f"The input must have 3 channels; Received `input_shape={shape}`"
        )
    sides = shape[1:] if first else shape[:-1]
    if any(side is not None and side < least for side in sides):
        raise ValueError(
            f"Input size must be at least {least}x{least}; Received: "
            f"input_shape={shape}"
        )


def correct_pad(
    inputs: Any, kernel_size: int | tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the zeros before and after each axis that a convolution of stride 2 needs.

    Then it reads the same places whether a size is even or odd.

    Args:
        inputs: images, symbolic.
        kernel_size: of the convolution, one or height and width.
    """
    start = 2 if K.image_data_format() == "channels_first" else 1
    sides = inputs.shape[start : start + 2]
    if isinstance(kernel_size, int):
        kernel_size = (kernel_size, kernel_size)
    # A size that is not known is taken to be even.
    height, width = (1, 1) if sides[0] is None else (1 - side % 2 for side in sides)
    above, left = (size // 2 for size in kernel_size)
    return (above - height, above), (left - width, left)
