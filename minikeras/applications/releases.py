"""Weights that Keras's authors trained on ImageNet: where they lie, how to get them."""

from __future__ import annotations

from dataclasses import dataclass

from minikeras import utils

__all__ = ["KERAS", "Release", "download"]

# The folder of nearly all of them.
KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"
# What the files were called when an architecture had one for each of two libraries.
KERNELS = "_weights_tf_dim_ordering_tf_kernels"


def download(name: str, url: str, file_hash: str | None = None) -> str:
    """Return the path of a file of Keras's, which is fetched once.

    Args:
        name: under which it is kept, in the folder ``models`` of Keras's cache.
        url: where it is from.
        file_hash: MD5 or SHA-256 in hexadecimal digits; other files are refused.

    Raises:
        Exception: if it cannot be fetched; what to do then is noted on it.
    """
    try:
        return utils.get_file(name, url, cache_subdir="models", file_hash=file_hash)
    except Exception as error:
        error.add_note(
            f"Without a network: fetch {url} elsewhere, and put it into the folder "
            f"`models` of Keras's cache (~/.keras, or $KERAS_HOME) as {name!r}. "
            "Weights can also be given by their path, `weights='/path/to/file.h5'`, or "
            "left out, `weights=None`."
        )
        raise


@dataclass(frozen=True)
class Release:
    """The two files of an architecture, with the classifier and without.

    Args:
        stem: their names without what follows, `suffixes`.
        hashes: of each.
        suffixes: what tells the two names apart.
        folder: the URL of the folder.
        kept: the names under which they are kept, if they are not the files' own.
    """

    stem: str
    hashes: tuple[str | None, str | None] = (None, None)
    suffixes: tuple[str, str] = (".h5", "_notop.h5")
    folder: str = KERAS
    kept: tuple[str, str] | None = None

    @classmethod
    def of_kernels(cls, name: str, top: str, notop: str, folder: str = "") -> Release:
        """Return a release of the oldest form: by name, in a folder of the family."""
        url = f"{KERAS}{folder or name}/"
        return cls(f"{name}{KERNELS}", (top, notop), folder=url)

    def fetch(self, include_top: bool) -> str:
        """Return the path of one of the files, fetched once."""
        which = 0 if include_top else 1
        name = f"{self.stem}{self.suffixes[which]}"
        kept = self.kept[which] if self.kept else name
        return download(kept, f"{self.folder}{name}", self.hashes[which])
