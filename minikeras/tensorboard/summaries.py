"""Summaries: what TensorBoard shows under a tag, each as a tensor with its plugin.

They are those of TensorFlow 2's ``tf.summary``, byte for byte what its plugins expect.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.tensorboard import wire
from minikeras.tensorboard.png import png

__all__ = ["graph", "histogram", "image", "scalar", "text"]

FLOAT, DOUBLE, STRING = 1, 2, 7  # TensorFlow's numbers of dtypes
SCALARS, TENSORS, BLOBS = 1, 2, 3  # TensorBoard's classes of data
BUCKETS = 30


def scalar(tag: str, value: Any) -> bytes:
    """Return the summary of a number.

    Raises:
        ValueError: if `value` has axes.
    """
    number = np.asarray(value, "<f4")
    if number.ndim:
        raise ValueError(f"scalar {tag!r} is a single number; got {number.shape}")
    return _summary(tag, _tensor(FLOAT, (), number), "scalars", SCALARS)


def histogram(tag: str, values: Any, buckets: int = BUCKETS) -> bytes:
    """Return the summary of how values are distributed.

    Args:
        tag: under which it is shown.
        values: of any shape.
        buckets: how many intervals of one width the values are sorted into.
    """
    rows = _counted(np.asarray(values, "<f8").reshape(-1), buckets)
    content = _tensor(DOUBLE, rows.shape, rows)
    return _summary(tag, content, "histograms", TENSORS)


def image(tag: str, images: Any, max_outputs: int = 3) -> bytes:
    """Return the summary of images.

    Args:
        tag: under which they are shown.
        images: bytes from 0 to 255, or floating-point numbers from 0 to 1.
        max_outputs: how many of them to show.

    Shapes:
        images: (batch, height, width, channels), with 1 to 4 channels
    """
    pixels = np.asarray(images)[:max_outputs]
    if pixels.dtype != np.uint8:
        # Each of the 256 values is given an interval of one width.
        scaled = np.nan_to_num(pixels.astype(np.float64)) * 255.5
        pixels = np.clip(scaled, 0, 255).astype(np.uint8)
    sizes = [str(pixels.shape[axis]) for axis in (2, 1)]
    strings = [*sizes, *map(png, pixels)]
    return _summary(tag, _strings((len(strings),), strings), "images", BLOBS)


def text(tag: str, value: str) -> bytes:
    """Return the summary of a text, in Markdown."""
    return _summary(tag, _strings((), [value]), "text", TENSORS)


def graph(tag: str, config: str) -> bytes:
    """Return the summary of a model, by its config as JSON in Keras's form."""
    return _summary(tag, _strings((), [config]), "graph_keras_model", None, b"1")


def _counted(values: np.ndarray[Any, Any], buckets: int) -> np.ndarray[Any, Any]:
    """Return rows of an interval's ends and how many values are in it."""
    values = values[np.isfinite(values)]
    if not values.size or not buckets:
        return np.zeros((buckets, 3))
    low, high = values.min(), values.max()
    if low == high:
        counts = np.zeros(buckets)
        counts[-1] = values.size
        return np.column_stack((np.full((buckets, 2), low), counts))
    counts, edges = np.histogram(values, buckets, (low, high))
    return np.column_stack((edges[:-1], edges[1:], counts))


def _tensor(kind: int, shape: Any, content: np.ndarray[Any, Any]) -> bytes:
    return _typed(kind, shape) + wire.data(4, content.tobytes())


def _strings(shape: Any, values: list[Any]) -> bytes:
    return _typed(STRING, shape) + b"".join(wire.data(8, value) for value in values)


def _typed(kind: int, shape: Any) -> bytes:
    sizes = (wire.data(2, wire.integer(1, size)) for size in shape)
    return wire.integer(1, kind) + wire.data(2, *sizes)


def _summary(
    tag: str, tensor: bytes, plugin: str, kind: int | None, content: bytes = b""
) -> bytes:
    """Return a message Summary with one value."""
    details = [wire.data(2, content)] if content else []
    metadata = wire.data(1, wire.data(1, plugin), *details)
    metadata += wire.integer(4, kind) if kind else b""
    value = wire.data(1, tag), wire.data(8, tensor), wire.data(9, metadata)
    return wire.data(1, *value)
