"""Folders of files that are samples, each subfolder a class, as sources of batches.

Images, texts and sounds differ in how a file is read and how samples become a batch;
what files there are, which class each has, and which are for validation is found out
here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minikeras.backend.console import say
from minikeras.utils.numerical import to_categorical
from minikeras.utils.samples import (
    Samples,
    check_format,
    drawn_seed,
    in_format,
    loaders,
)

__all__ = ["Files", "Kind", "Sampling", "index_directory", "samples_of"]


@dataclass(frozen=True)
class Kind:
    """What kind of files a function reads.

    Attributes:
        noun: what they are called in messages.
        suffixes: in which their names end.
        allowed: a sentence that says so.
        read: returns the sample in a file.
        together: makes a batch of samples.
    """

    noun: str
    suffixes: tuple[str, ...]
    allowed: str
    read: Callable[[str], Any]
    together: Callable[[list[Any]], Any]


@dataclass(frozen=True)
class Files:
    """Which files are samples, and of which classes.

    Attributes:
        directory: the folder.
        labels: "inferred" from the subfolders, None, or the label of each file, in the
            order of their paths.
        label_mode: "int", "categorical", "binary" or None.
        class_names: of the subfolders, in the order in which they are numbered.
        follow_links: whether links to folders are followed.
        verbose: whether to say how many files there are.
    """

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: list[str] | None
    follow_links: bool
    verbose: bool

    def check(self, noun: str) -> None:
        """Refuse what are no labels.

        Raises:
            ValueError: if they are none, or there is no such mode.
        """
        if self.labels not in ("inferred", None):
            if not isinstance(self.labels, (list, tuple)):
                raise ValueError(
                    "The `labels` argument should be a list/tuple of integer labels, "
                    f"of the same size as the number of {_PLURALS[noun]} in the target "
                    "directory. If you wish to infer the labels from the subdirectory "
                    'names in the target directory, pass `labels="inferred"`. If you '
                    f"wish to get a dataset that only contains {noun} samples (no "
                    f"labels), pass `labels=None`. Received: labels={self.labels}"
                )
            if self.class_names:
                raise ValueError(
                    'You can only pass `class_names` if `labels="inferred"`. '
                    f"Received: labels={self.labels}, and "
                    f"class_names={self.class_names}"
                )
        if self.label_mode not in ("int", "categorical", "binary", None):
            raise ValueError(
                '`label_mode` argument must be one of "int", "categorical", "binary", '
                f"or None. Received: label_mode={self.label_mode}"
            )

    def found(
        self, suffixes: tuple[str, ...], shuffle: bool, seed: int
    ) -> tuple[list[str], Any, list[str] | None]:
        """Return paths, targets as `label_mode` says or None, and names of classes.

        Raises:
            ValueError: if there are no such subfolders, or as many labels as files.
        """
        labels = None if self.label_mode is None else self.labels
        paths, labels, names = index_directory(
            self.directory,
            labels,
            suffixes,
            self.class_names,
            shuffle,
            seed,
            self.follow_links,
            self.verbose,
        )
        if labels is None:
            return paths, None, names
        if self.label_mode == "binary" and len(names or ()) != 2:
            raise ValueError(
                'When passing `label_mode="binary"`, there must be exactly 2 '
                f"class_names. Received: class_names={names}"
            )
        numbers = np.asarray(labels, "int32")
        if self.label_mode == "binary":
            return paths, numbers[:, None].astype("float32"), names
        if self.label_mode == "categorical":
            one_hot = to_categorical(numbers, len(names or ()))
            return paths, one_hot.astype("float32"), names
        return paths, numbers, names


@dataclass(frozen=True)
class Sampling:
    """In which order samples come, and which of them.

    Attributes:
        batch_size: None for no batches.
        shuffle: whether samples are in random order.
        seed: of this order.
        validation_split: share of the files that are for validation.
        subset: "training", "validation" or "both"; None if there is no such share.
        format: "tf" or "grain".
    """

    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    format: str = "tf"

    def check(self) -> None:
        """Refuse a share for validation that does not go with the other arguments.

        Raises:
            ValueError: if it does not, or there is no such format.
        """
        check_format(self.format)
        share, subset = self.validation_split, self.subset
        if share and not 0 < share < 1:
            raise ValueError(
                f"`validation_split` must be between 0 and 1, received: {share}"
            )
        if bool(share) != bool(subset):
            raise ValueError(
                "If `subset` is set, `validation_split` must be set, and inversely."
            )
        if subset not in ("training", "validation", "both", None):
            raise ValueError(
                '`subset` must be either "training", "validation" or "both", received: '
                f"{subset}"
            )
        if share and self.shuffle and self.seed is None:
            raise ValueError(
                "If using `validation_split` and shuffling the data, you must provide "
                "a `seed` argument, to make sure that there is no overlap between the "
                "training and validation subset."
            )

    def rows(self, total: int) -> Iterator[tuple[str | None, slice]]:
        """Yield the names of the subsets wanted, and which of all files are in them."""
        if self.subset is None:
            yield None, slice(None)
            return
        held_out = int((self.validation_split or 0.0) * total)
        if self.subset in ("training", "both"):
            say(f"Using {total - held_out} files for training.")
            yield "training", slice(total - held_out)
        if self.subset in ("validation", "both"):
            say(f"Using {held_out} files for validation.")
            yield "validation", slice(total - held_out, total)


def samples_of(kind: Kind, files: Files, sampling: Sampling) -> Any:
    """Return the samples in files; for both subsets a list of two.

    Raises:
        ValueError: if arguments exclude each other, or there are no files.
    """
    files.check(kind.noun)
    sampling.check()
    seed = drawn_seed(sampling.seed) if sampling.shuffle else 0
    paths, targets, names = files.found(kind.suffixes, sampling.shuffle, seed)
    both = sampling.subset == "both"
    parts = []
    for subset, rows in sampling.rows(len(paths)):
        if not paths[rows]:
            which = f"{subset} " if both else ""
            raise ValueError(
                f"No {which}{_PLURALS[kind.noun]} found in directory "
                f"{files.directory}. {kind.allowed}"
            )
        take = partial(
            _batch, kind, paths[rows], None if targets is None else targets[rows]
        )
        shuffle = sampling.shuffle and not (both and subset == "validation")
        size = len(paths[rows])
        found = Samples(size, take, sampling.batch_size, shuffle, seed, loaders())
        found.class_names, found.file_paths = names, paths[rows]
        parts.append(in_format(found, sampling.format))
    return parts if both else parts[0]


def _batch(kind: Kind, paths: list[str], targets: Any, rows: Any) -> Any:
    """Return the samples in some of the files, with their targets if there are any."""
    x = kind.together([kind.read(paths[row]) for row in rows])
    return x if targets is None else (x, targets[rows])


_PLURALS = {"image": "images", "text": "text files", "audio": "audio files"}


def index_directory(
    directory: Any,
    labels: Any,
    formats: tuple[str, ...],
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> tuple[list[str], Any, list[str] | None]:
    """Return the files in a folder, their labels, and the names of these.

    Args:
        directory: the folder.
        labels: "inferred" from the subfolders, None, or one for each file.
        formats: in which the names of the files end.
        class_names: of the subfolders, in the order in which they are numbered.
        shuffle: whether files are in random order; otherwise sorted by their paths.
        seed: of this order, which is Keras's.
        follow_links: whether links to folders are followed.
        verbose: whether to say how many files there are.

    Raises:
        ValueError: if there are no such subfolders, or as many labels as files.
    """
    root = os.fspath(directory)
    if labels == "inferred":
        names: list[str] | None = _subfolders(root, class_names)
        found = [
            list(_files(os.path.join(root, name), follow_links, formats))
            for name in names
        ]
        labels = np.repeat(np.arange(len(names), dtype="int32"), [*map(len, found)])
        paths = [path for files in found for path in files]
    else:
        _check_no_names(labels, class_names)
        paths = list(_files(root, follow_links, formats))
        names = None
    if labels is not None and names is None:
        if len(labels) != len(paths):
            raise ValueError(
                "Expected the lengths of `labels` to match the number of files in the "
                f"target directory. len(labels) is {len(labels)} while we found "
                f"{len(paths)} files in directory {directory}."
            )
        names = [str(label) for label in sorted(set(labels))]
    if verbose:
        classes = "" if names is None else f" belonging to {len(names)} classes"
        say(f"Found {len(paths)} files{classes}.")
    if shuffle:
        order = np.arange(len(paths))
        np.random.RandomState(drawn_seed(seed)).shuffle(order)
        paths = [paths[i] for i in order]
        labels = None if labels is None else np.asarray(labels)[order]
    return paths, labels, names


def _subfolders(root: str, class_names: Sequence[str] | None) -> list[str]:
    """Return the names of the folders below `root` that are classes.

    Raises:
        ValueError: if there is none of one of the names wanted.
    """
    found = sorted(
        name
        for name in os.listdir(root)
        if not name.startswith(".") and os.path.isdir(os.path.join(root, name))
    )
    if class_names is None:
        return found
    if not set(class_names) <= set(found):
        raise ValueError(
            "The `class_names` passed did not match the names of the subdirectories of "
            f"the target directory. Expected: {found} (or a subset of it), but "
            f"received: class_names={class_names}"
        )
    return list(class_names)


def _check_no_names(labels: Any, class_names: Sequence[str] | None) -> None:
    if class_names is None:
        return
    if labels is None:
        raise ValueError(
            "When `labels=None` (no labels), argument `class_names` cannot be "
            "specified."
        )
    raise ValueError(
        "When argument `labels` is specified, argument `class_names` cannot be "
        "specified (the `class_names` will be the sorted list of labels)."
    )


def _files(folder: str, follow_links: bool, formats: tuple[str, ...]) -> Iterator[str]:
    """Yield the files of these formats below a folder, by folder and by name."""
    for place, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(formats):
                yield os.path.join(place, name)
