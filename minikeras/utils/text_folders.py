"""Folders of texts as batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from minikeras.utils.directories import Files, Kind, Sampling, samples_of

__all__ = ["text_dataset_from_directory"]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: list[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return the texts in a folder, in batches; each subfolder is a class.

    Files end in .txt and are in UTF-8; bytes that are not become U+FFFD. Which files
    are for validation is the same as in Keras, for the same `seed`.

    What comes back is no ``tf.data.Dataset``, see `minikeras.utils.samples.Samples`: a
    `PyDataset` with ``class_names``, ``file_paths`` and a length. A batch of texts is
    an array of Python's strings, as `TextVectorization` takes it.

    Args:
        directory: the folder.
        labels: "inferred" from the subfolders, None for no labels, or a list with the
            label of each file, in the order of their paths.
        label_mode: "int", "categorical" for vectors with a single 1, "binary" for 0.0
            and 1.0 in a column, or None for no labels.
        class_names: of the subfolders, in the order in which they are to be numbered;
            by default sorted.
        batch_size: texts per batch; None yields them one by one.
        max_length: in characters; longer texts are cut off.
        shuffle: whether each pass is in a new random order; otherwise files are sorted.
        seed: of these orders.
        validation_split: share of the texts that are for validation, in (0, 1).
        subset: "training", "validation", or "both" for a list of the two.
        follow_links: whether links to folders are followed.
        format: "tf", or "grain" for Grain's ``IterDataset``, if Grain is installed.
        verbose: whether to say how many files there are.

    Shapes:
        x: (batch,)
        y: (batch,) int32, (batch, 1) float32, or (batch, classes) float32

    Raises:
        ValueError: if arguments exclude each other, or there are no such files.
        ImportError: if Grain is wanted and not installed.
    """

    def text(path: str) -> str:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read() if max_length is None else file.read(max_length)

    kind = Kind("text", (".txt",), "Allowed format: .txt", text, _strings)
    files = Files(directory, labels, label_mode, class_names, follow_links, verbose)
    sampling = Sampling(batch_size, shuffle, seed, validation_split, subset, format)
    return samples_of(kind, files, sampling)


def _strings(texts: list[str]) -> np.ndarray[Any, Any]:
    return np.array(texts, dtype=object)
