"""Windows that slide over a series of numbers, in batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.utils.samples import Samples, check_format, in_format

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """Return the windows that slide over a series, with their targets, in batches.

    What comes back is no ``tf.data.Dataset``, see `minikeras.utils.samples.Samples`: a
    `PyDataset` with a length, and batches of NumPy's arrays.

    Args:
        data: the series; steps are its first axis.
        targets: of the windows: ``targets[i]`` is that of the one that begins at step
            i. None for no targets.
        sequence_length: steps in a window.
        sequence_stride: steps from one window to the next.
        sampling_rate: steps of the series from one step in a window to the next.
        batch_size: windows per batch; None yields them one by one.
        shuffle: whether each pass is in a new random order.
        seed: of these orders.
        start_index: steps before this one are not used.
        end_index: steps from this one on are not used.
        format: "tf", or "grain" for Grain's ``IterDataset``, if Grain is installed.

    Shapes:
        data: (steps, ...)
        x: (batch, sequence_length, ...)
        y: (batch, ...)

    Raises:
        ValueError: if a length, stride, rate or index does not fit the series.
        ImportError: if Grain is wanted and not installed.

    Example:
        >>> x = np.arange(6)
        >>> for window, target in timeseries_dataset_from_array(x, x[3:], 3):
        ...     print(window.tolist(), target)
        [[0, 1, 2], [1, 2, 3], [2, 3, 4]] [3 4 5]
    """
    _check_range(start_index, end_index, len(data))
    for name, value in (
        ("sampling_rate", sampling_rate),
        ("sequence_stride", sequence_stride),
    ):
        _check_steps(name, value, len(data))
    check_format(format)
    first, last = start_index or 0, len(data) if end_index is None else end_index
    series = np.asarray(data)[first:last]
    values = None if targets is None else np.asarray(targets)[first:]
    count = len(series) - (sequence_length - 1) * sampling_rate
    if values is not None:
        count = min(count, len(values))
    starts = np.arange(0, max(count, 0), sequence_stride)
    steps = np.arange(sequence_length) * sampling_rate

    def take(rows: np.ndarray[Any, Any]) -> Any:
        begin = starts[rows]
        windows = series[begin[:, None] + steps]
        return windows if values is None else (windows, values[begin])

    return in_format(Samples(len(starts), take, batch_size, shuffle, seed), format)


def _check_range(start: int | None, end: int | None, length: int) -> None:
    """Refuse a range of steps that is not within the series.

    Raises:
        ValueError: if it is not.
    """
    if start and start < 0:
        raise ValueError(
            f"`start_index` must be 0 or greater. Received: start_index={start}"
        )
    if start and start >= length:
        raise ValueError(
            "`start_index` must be lower than the length of the data. Received: "
            f"start_index={start}, for data of length {length}"
        )
    if start and end and end <= start:
        raise ValueError(
            "`end_index` must be higher than `start_index`. Received: "
            f"start_index={start}, and end_index={end} "
        )
    if end and end >= length:
        raise ValueError(
            "`end_index` must be lower than the length of the data. Received: "
            f"end_index={end}, for data of length {length}"
        )
    if end and end <= 0:
        raise ValueError(
            f"`end_index` must be higher than 0. Received: end_index={end}"
        )


def _check_steps(name: str, value: int, length: int) -> None:
    """Refuse a stride or rate that is no number of steps of the series.

    Raises:
        ValueError: if it is not.
    """
    if value <= 0:
        raise ValueError(f"`{name}` must be higher than 0. Received: {name}={value}")
    if value >= length:
        raise ValueError(
            f"`{name}` must be lower than the length of the data. Received: "
            f"{name}={value}, for data of length {length}"
        )
