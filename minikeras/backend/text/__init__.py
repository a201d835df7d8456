"""Text and tables on the host: strings, their hashes, vocabularies."""

from minikeras.backend.text.hashing import crossed_bins, hash_bins
from minikeras.backend.text.lookup import (
    TokenCounts,
    TokenTable,
    numbers_of_unknown,
    padded_numbers,
    token_array,
)
from minikeras.backend.text.strings import as_text, tokenize
from minikeras.engine.ops import py_func

__all__ = [
    "TokenCounts",
    "TokenTable",
    "as_text",
    "crossed_bins",
    "hash_bins",
    "numbers_of_unknown",
    "padded_numbers",
    "py_func",
    "token_array",
    "tokenize",
]
