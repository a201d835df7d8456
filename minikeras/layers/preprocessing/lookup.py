"""Vocabularies of strings and of integers."""

from __future__ import annotations

from typing import Any

from minikeras.layers.preprocessing.data_layer import refuse_sparse
from minikeras.layers.preprocessing.index_lookup import IndexLookup

__all__ = ["IntegerLookup", "StringLookup"]


class StringLookup(IndexLookup):
    """The number of each string in a vocabulary, or vectors made of these numbers.

    Args:
        max_tokens: size of the vocabulary at most, special tokens included.
        num_oov_indices: how many numbers are set aside for unknown strings; 0 makes
            them errors.
        mask_token: the string that stands for nothing, and has the number 0.
        oov_token: what stands for unknown strings.
        vocabulary: the strings, or the path of a file with one in each line; in place
            of a call of `adapt`.
        idf_weights: inverse document frequencies, one for each string.
        invert: whether to turn numbers into strings.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or
            ``"tf_idf"``.
        pad_to_max_tokens: whether vectors have `max_tokens` places anyway.
        sparse: must be False: there are no sparse tensors here.
        encoding: of bytes.
        salt: two integers, or one for both: a key by which unknown strings are hashed.

    Example:
        >>> layer = StringLookup(vocabulary=["to", "be"])
        >>> layer([["to", "be"], ["or", "not"]])
        array([[1, 2],
               [0, 0]])
        >>> layer.get_vocabulary()
        ['[UNK]', 'to', 'be']
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            vocabulary_dtype="string",
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=refuse_sparse(sparse),
            name=name,
            salt=salt,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["vocabulary_dtype"]
        return {**config, "encoding": self.encoding}


class IntegerLookup(IndexLookup):
    """The number of each integer in a vocabulary, or vectors made of these numbers.

    Args:
        max_tokens: size of the vocabulary at most, special tokens included.
        num_oov_indices: how many numbers are set aside for unknown integers; 0 makes
            them errors.
        mask_token: the integer that stands for nothing, and has the number 0.
        oov_token: what stands for unknown integers.
        vocabulary: the integers, or the path of a file with one in each line; in place
            of a call of `adapt`.
        vocabulary_dtype: ``"int64"``, no other.
        idf_weights: inverse document frequencies, one for each integer.
        invert: whether to turn numbers into the integers of the vocabulary.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or
            ``"tf_idf"``.
        sparse: must be False: there are no sparse tensors here.
        pad_to_max_tokens: whether vectors have `max_tokens` places anyway.
        oov_method: how unknown integers are shared out: ``"floormod"`` or
            ``"farmhash"``.
        salt: two integers, or one for both: a key for the hash.

    Example:
        >>> layer = IntegerLookup(vocabulary=[12, 36, 1138, 42])
        >>> layer([[12, 1138, 42], [42, 1000, 36]])
        array([[1, 3, 4],
               [4, 0, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _check_integers(max_tokens, num_oov_indices, vocabulary_dtype)
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            vocabulary_dtype=vocabulary_dtype,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=refuse_sparse(sparse),
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            salt=salt,
            name=name,
            **kwargs,
        )


def _check_integers(
    max_tokens: int | None, num_oov_indices: int, vocabulary_dtype: str
) -> None:
    """Raise ValueError if arguments of `IntegerLookup` make no sense."""
    if max_tokens is not None and max_tokens <= 1:
        raise ValueError(
            "If `max_tokens` is set for `IntegerLookup`, it must be greater than "
            f"1. Received: max_tokens={max_tokens}"
        )
    if num_oov_indices < 0:
        raise ValueError(
            "The value of `num_oov_indices` argument for `IntegerLookup` must >= "
            f"0. Received: num_oov_indices={num_oov_indices}"
        )
    if vocabulary_dtype != "int64":
        raise ValueError(
            "Only `vocabulary_dtype='int64'` is supported at this time. Received: "
            f"vocabulary_dtype={vocabulary_dtype}"
        )
