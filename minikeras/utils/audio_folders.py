"""Folders of sounds as batches."""

from __future__ import annotations

import math
import os
import wave
from functools import partial
from typing import Any

import numpy as np

from minikeras.utils.directories import Files, Kind, Sampling, samples_of
from minikeras.utils.extras import required

__all__ = ["audio_dataset_from_directory"]

_SUFFIXES = (".wav",)


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: list[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Return the sounds in a folder, in batches; each subfolder is a class.

    Files end in .wav and hold samples of 8 to 32 bits, not compressed. Which files are
    for validation is the same as in Keras, for the same `seed`.

    What comes back is no ``tf.data.Dataset``, see `minikeras.utils.samples.Samples`: a
    `PyDataset` with ``class_names``, ``file_paths``, a length, and batches of NumPy's
    arrays. Where Keras has ragged tensors, a batch is an array of arrays.

    Args:
        directory: the folder.
        labels: "inferred" from the subfolders, None for no labels, or a list with the
            label of each file, in the order of their paths.
        label_mode: "int", "categorical" for vectors with a single 1, "binary" for 0.0
            and 1.0 in a column, or None for no labels.
        class_names: of the subfolders, in the order in which they are to be numbered;
            by default sorted.
        batch_size: sounds per batch; None yields them one by one.
        sampling_rate: in hertz, to which sounds are resampled, by SciPy; None keeps
            their own.
        output_sequence_length: in steps; longer sounds are cut off, shorter ones end
            in zeros. By default those of a batch are as long as the longest.
        ragged: whether sounds keep their lengths.
        shuffle: whether each pass is in a new random order; otherwise files are sorted.
        seed: of these orders.
        validation_split: share of the sounds that are for validation, in (0, 1).
        subset: "training", "validation", or "both" for a pair of the two.
        follow_links: whether links to folders are followed.
        verbose: whether to say how many files there are.

    Shapes:
        x: (batch, steps, channels), float32 in [-1, 1)
        y: (batch,) int32, (batch, 1) float32, or (batch, classes) float32

    Raises:
        ValueError: if arguments exclude each other, or there are no such files.
        ImportError: if sounds are to be resampled and SciPy is not installed.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError("Cannot set both `ragged` and `output_sequence_length`")
    resample = None if sampling_rate is None else _resampling(sampling_rate)
    kind = Kind(
        "audio",
        _SUFFIXES,
        f"Allowed format(s): {_SUFFIXES}",
        partial(_sound, length=output_sequence_length, resample=resample),
        _as_they_are if ragged else _padded,
    )
    files = Files(directory, labels, label_mode, class_names, follow_links, verbose)
    sampling = Sampling(batch_size, shuffle, seed, validation_split, subset)
    found = samples_of(kind, files, sampling)
    return tuple(found) if subset == "both" else found


def _resampling(rate: Any) -> Any:
    """Return a function that resamples to this rate.

    Raises:
        ValueError: if it is no rate.
        ImportError: if SciPy is not installed.
    """
    if not isinstance(rate, int):
        raise ValueError(
            "`sampling_rate` should have an integer value. Received: "
            f"sampling_rate={rate}"
        )
    if rate <= 0:
        raise ValueError(
            f"`sampling_rate` should be higher than 0. Received: sampling_rate={rate}"
        )
    signal = required("scipy.signal", "audio", "The argument `sampling_rate`")

    def resample(sound: Any, own: int) -> Any:
        common = math.gcd(rate, own)
        found = signal.resample_poly(sound, rate // common, own // common, axis=0)
        return found.astype("float32")

    return resample


def _sound(path: str, length: int | None, resample: Any) -> np.ndarray[Any, Any]:
    """Return the sound in a file: (steps, channels).

    Raises:
        ValueError: if it is not such a file.
    """
    try:
        with wave.open(path, "rb") as file:
            channels, width, rate, steps = file.getparams()[:4]
            # A frame has a byte at least, so that there are no more than these.
            data = file.readframes(min(steps, os.path.getsize(path)))
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no sound in plain WAV: {error}") from error
    sound = _numbers(data, width).reshape(-1, channels)
    if length is not None:
        sound = np.pad(sound[:length], ((0, max(length - len(sound), 0)), (0, 0)))
    return sound if resample is None else resample(sound, rate)


def _numbers(data: bytes, width: int) -> np.ndarray[Any, Any]:
    """Return samples of `width` bytes as numbers in [-1, 1)."""
    if width == 1:  # the only ones without a sign
        return (np.frombuffer(data, "u1").astype("float32") - 128) / 128
    if width == 3:
        # The three bytes become the upper ones of four.
        parts = np.frombuffer(data, "u1").reshape(-1, 3)
        data = np.pad(parts, ((0, 0), (1, 0))).tobytes()
        width = 4
    whole = np.frombuffer(data, f"<i{width}")
    return (whole / 2.0 ** (8 * width - 1)).astype("float32")


def _padded(sounds: list[Any]) -> np.ndarray[Any, Any]:
    """Return sounds in one array, with zeros after the shorter ones."""
    longest = max(len(sound) for sound in sounds)
    return np.stack([np.pad(s, ((0, longest - len(s)), (0, 0))) for s in sounds])


def _as_they_are(sounds: list[Any]) -> np.ndarray[Any, Any]:
    """Return an array of arrays."""
    found = np.empty(len(sounds), dtype=object)
    found[:] = sounds
    return found
