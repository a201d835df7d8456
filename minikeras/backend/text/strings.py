"""Strings in arrays: to Unicode and back, cleaned up, split into tokens, joined again.

Text is a NumPy array of Python's strings (dtype object). Texts of which each is split
into tokens are an array of lists, `Tokens`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "as_bytes",
    "as_text",
    "ngrams",
    "split_text",
    "standardize_text",
    "tokenize",
]

Text = np.ndarray[Any, Any]

# Bytes that are no characters are kept, as code points that say which bytes they were.
_ERRORS = "surrogateescape"

# Whatever is not whitespace, as TensorFlow has it: in ASCII.
_WORD = re.compile(r"[^ \t\n\v\f\r]+")

_UPPER = {ord(c): c.lower() for c in string.ascii_uppercase}
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))

# As in TensorFlow, letters outside of ASCII are left as they are.
STANDARDIZE = {
    "lower": _UPPER,
    "strip_punctuation": _PUNCTUATION,
    "lower_and_strip_punctuation": _UPPER | _PUNCTUATION,
}


def as_text(x: Any, encoding: str = "utf-8") -> Text:
    """Return strings, bytes, or an array or nested list of them, as an array of text.

    Args:
        x: an array, or what becomes one.
        encoding: of bytes.

    Raises:
        TypeError: if it is made of anything else.

    Example:
        >>> as_text([b"to", "be"])
        array(['to', 'be'], dtype=object)
    """
    array = np.asarray(x)
    if array.dtype.kind not in "USOT" and array.size:
        raise TypeError(f"strings are needed; got an array of dtype {array.dtype}")
    found = [_decoded(s, encoding) for s in array.reshape(-1).tolist()]
    return _of_objects(found, array.shape)


def _decoded(s: Any, encoding: str) -> str:
    if isinstance(s, bytes):
        return s.decode(encoding, _ERRORS)
    if not isinstance(s, str):
        raise TypeError(f"strings are needed; got {s!r} of type {type(s).__name__}")
    return s


def as_bytes(x: Any) -> list[bytes]:
    """Return all strings of an array in one list, in UTF-8."""
    return [
        s if isinstance(s, bytes) else str(s).encode("utf-8", _ERRORS)
        for s in np.asarray(x).reshape(-1).tolist()
    ]


def _of_objects(values: Sequence[Any], shape: Sequence[int]) -> Text:
    """Return an array whose elements are `values`, even where those are lists."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def _each(function: Callable[[Any], Any], x: Text) -> Text:
    return _of_objects([function(part) for part in x.reshape(-1).tolist()], x.shape)


# -- from strings to tokens ------------------------------------------------------------


def standardize_text(text: Text, how: str | Callable[..., Any] | None) -> Text:
    """Return text without what is not to count.

    Args:
        text: an array of strings.
        how: ``"lower"``, ``"strip_punctuation"`` or ``"lower_and_strip_punctuation"``,
            which know ASCII only; None; or a function of an array of strings.

    Example:
        >>> standardize_text(as_text(["To be, or not..."]), "strip_punctuation")
        array(['To be or not'], dtype=object)
    """
    if callable(how):
        return as_text(how(text.astype(np.str_)))
    if how is None:
        return text
    table = STANDARDIZE[how]
    return _each(lambda s: s.translate(table), text)


def split_text(text: Text, how: str | Callable[..., Any]) -> Text:
    """Return for each string the list of its tokens.

    Args:
        text: an array of strings.
        how: ``"whitespace"``, ``"character"``, or a function from an array of strings
            to the tokens of each: lists, or anything with a method ``to_list``.
    """
    if how == "whitespace":
        return _each(_WORD.findall, text)
    if how == "character":
        return _each(list, text)
    found = how(text.astype(np.str_))  # type: ignore[operator]
    listed = found.to_list() if hasattr(found, "to_list") else found
    flat = listed if text.ndim else [listed]
    return _of_objects([as_text([*row]).tolist() for row in flat], text.shape)


def ngrams(rows: Text, widths: Iterable[int]) -> Text:
    """Return for each list of tokens all runs of so many tokens, joined by a space.

    Example:
        >>> ngrams(tokenize(["to be or"]), (1, 2))[0]
        ['to', 'be', 'or', 'to be', 'be or']
    """

    def joined(row: list[str]) -> list[str]:
        return [
            " ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)
        ]

    return _each(joined, rows)


def tokenize(
    x: Any,
    standardize: str | Callable[..., Any] | None = None,
    split: str | Callable[..., Any] | None = "whitespace",
    widths: Iterable[int] | None = None,
    encoding: str = "utf-8",
) -> Text:
    """Return the tokens of each string: an array of lists.

    Args:
        x: strings; where they are to be split a last axis of size 1 is dropped.
        standardize: see `standardize_text`.
        split: see `split_text`; None if the last axis holds tokens already.
        widths: of the n-grams that tokens are to be joined to.
        encoding: of bytes.

    Raises:
        ValueError: if strings that are to be split stand in rows.
    """
    text = standardize_text(as_text(x, encoding), standardize)
    if split is None:
        text = np.atleast_1d(text)
        rows = [row.tolist() for row in text.reshape(-1, text.shape[-1])]
        split_up = _of_objects(rows, text.shape[:-1])
    else:
        if text.ndim > 1 and text.shape[-1] != 1:
            raise ValueError(
                "When using `TextVectorization` to tokenize strings, the input rank "
                "must be 1 or the last shape dimension must be 1. Received: "
                f"inputs.shape={text.shape} with rank={text.ndim}"
            )
        split_up = split_text(text[..., 0] if text.ndim > 1 else text, split)
    return split_up if widths is None else ngrams(split_up, widths)
