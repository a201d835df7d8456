"""From text to the numbers of its words, or to vectors made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.preprocessing.data_layer import (
    DataLayer,
    batches_of,
    check_word,
    present_name,
    refuse_sparse,
)
from minikeras.layers.preprocessing.index_lookup import MODES, listed
from minikeras.layers.preprocessing.lookup import StringLookup

__all__ = ["TextVectorization"]

SPLIT = ("whitespace", "character")
STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")


class TextVectorization(DataLayer):
    """Text, one string a sample, as the numbers of its tokens, or as one vector.

    A text is standardized, split into tokens, these may be joined to n-grams, and all
    are looked up in a vocabulary, where 0 is nothing and 1 an unknown token.

    Args:
        max_tokens: size of the vocabulary at most.
        standardize: ``"lower_and_strip_punctuation"``, ``"lower"``,
            ``"strip_punctuation"`` (all of ASCII only), None, or a function of a NumPy
            array of strings.
        split: ``"whitespace"``, ``"character"``, None, or a function from a NumPy
            array of strings to lists of tokens.
        ngrams: the widths of n-grams: all up to an integer, or a tuple of them.
        output_mode: ``"int"``, ``"multi_hot"``, ``"count"``, ``"tf_idf"`` or
            ``"one_hot"``.
        output_sequence_length: with ``"int"``, the number of tokens to which all texts
            are cut or filled up; that of the longest in a batch by default.
        pad_to_max_tokens: whether vectors have `max_tokens` places anyway.
        vocabulary: the tokens, or the path of a file with one in each line; in place of
            a call of `adapt`.
        idf_weights: inverse document frequencies, one for each token.
        sparse: must be False: there are no sparse tensors here.
        ragged: must be False: there are no ragged tensors here.
        encoding: of bytes.

    Shapes:
        inputs: (batch) or (batch, 1), strings
        returns: (batch, tokens), or (batch, size of the vocabulary)

    Example:
        >>> layer = TextVectorization(vocabulary=["to", "be"])
        >>> layer(["To be,", "or not to be!"])
        array([[2, 3, 0, 0],
               [1, 1, 2, 3]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[..., Any] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        _refuse(sparse, ragged)
        mode = check_word(self, present_name(output_mode), MODES, "output_mode")
        self._check_words("standardize", standardize, STANDARDIZE)
        self._check_words("split", split, SPLIT)
        _check_counts(ngrams, mode, output_sequence_length)
        names = ("has_input_vocabulary", "vocabulary_size")
        of_file = {k: kwargs.pop(k) for k in names if k in kwargs}
        super().__init__(name=name, **kwargs)
        self.standardize = standardize
        self.split = split
        self.ngrams = ngrams
        self.output_mode = mode
        self.output_sequence_length = output_sequence_length
        self._lookup_layer: Any = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=mode,
            encoding=encoding,
            **of_file,
        )

    def _check_words(self, name: str, value: Any, words: Sequence[str]) -> None:
        """Raise ValueError unless an argument is a function, None or a known word."""
        if not (value is None or callable(value)):
            check_word(self, value, words, name)

    compute_dtype = property(lambda self: "string")
    variable_dtype = property(lambda self: "string")

    # -- the vocabulary ----------------------------------------------------------------

    @property
    def _has_input_vocabulary(self) -> bool:
        return self._lookup_layer._has_input_vocabulary

    def adapt(
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Learn a vocabulary: the most frequent tokens.

        Args:
            data: texts, or what yields batches of them.
            batch_size: accepted, as in Keras, and not used.
            steps: how many batches at most.

        Raises:
            ValueError: if the vocabulary was given.
        """
        self.reset_state()
        for batch in batches_of(data, steps, (list, tuple)):
            if batch is data:
                batch = K.as_text(batch, self._lookup_layer.encoding)
                batch = batch[:, None] if batch.ndim == 1 else batch
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        rows = self._tokens(data)
        self._lookup_layer.count(rows.reshape(-1).tolist())

    def finalize_state(self) -> None:
        """Make a vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens by their numbers, those for mask and unknown before all."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return how many tokens there are, those for mask and unknown included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # -- looking up --------------------------------------------------------------------

    def as_inputs(self, inputs: Any) -> Any:
        """Return texts as an array."""
        return K.as_text(inputs, self._lookup_layer.encoding)

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def call(self, inputs: Any) -> K.Tensor:
        found = K.py_func(self._numbers, [inputs], "int64", shape=self._shape)
        if self.output_mode == "int":
            return found
        return self._lookup_layer.vectors(inputs, found, drop_last=False)

    def _tokens(self, texts: Any) -> Any:
        n = self.ngrams
        widths = range(1, n + 1) if isinstance(n, int) else n
        return K.tokenize(
            texts, self.standardize, self.split, widths, self._lookup_layer.encoding
        )

    def _numbers(self, texts: Any) -> Any:
        # In a vector what fills a row up has no place.
        padding = 0 if self.output_mode == "int" else -1
        return K.padded_numbers(
            self._tokens(texts),
            self._lookup_layer.numbers,
            self.output_sequence_length,
            padding,
        )

    def _shape(self, input_shape: Any) -> Any:
        """Return the shape of the numbers of tokens."""
        if input_shape is None:
            return None
        in_rows = self.split is None or len(input_shape) > 1
        rows = input_shape[:-1] if in_rows else input_shape
        return (*rows, self.output_sequence_length)

    def compute_output_shape(self, input_shape: Any) -> Any:
        numbers = self._shape(tuple(input_shape))
        if self.output_mode == "int":
            return numbers
        kept = numbers if self.output_mode == "one_hot" else numbers[:-1]
        return (*kept, self._lookup_layer._depth)

    # -- in files ----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        own = (
            "standardize",
            "split",
            "ngrams",
            "output_mode",
            "output_sequence_length",
        )
        table = self._lookup_layer
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            "max_tokens": table.max_tokens,
            "pad_to_max_tokens": table.pad_to_max_tokens,
            "encoding": table.encoding,
            "sparse": False,
            "ragged": False,
            "vocabulary": listed(table.input_vocabulary),
            "idf_weights": listed(table.input_idf_weights),
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        cls, config: dict[str, Any]
    ) -> TextVectorization:
        """Return a layer made from the result of `get_config`."""
        functions = {
            name: K.deserialize_keras_object(config[name])
            for name in ("standardize", "split")
            if not isinstance(config[name], str)
        }
        widths = config["ngrams"]
        joined = tuple(widths) if isinstance(widths, list) else widths
        return cls(**{**config, **functions, "ngrams": joined})

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into a store."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the inverse document frequencies out of a store."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary, unless the config has it, to a file in a folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)


def _refuse(sparse: bool, ragged: bool) -> None:
    """Raise ValueError if other tensors than dense ones are asked for."""
    refuse_sparse(sparse)
    if ragged:
        raise ValueError("`ragged=True` can only be used with the TensorFlow backend.")


def _check_counts(ngrams: Any, mode: str, length: Any) -> None:
    """Raise ValueError if widths of n-grams, or a length, are none."""
    listed_widths = isinstance(ngrams, tuple) and all(
        isinstance(n, int) for n in ngrams
    )
    if not (ngrams is None or isinstance(ngrams, int) or listed_widths):
        raise ValueError(
            "`ngrams` must be None, an integer, or a tuple of integers. Received: "
            f"ngrams={ngrams}"
        )
    if mode == "int" and not (length is None or isinstance(length, int)):
        raise ValueError(
            "`output_sequence_length` must be either None or an integer when "
            f"`output_mode` is 'int'. Received: output_sequence_length={length}"
        )
    if mode != "int" and length is not None:
        raise ValueError(
            "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
            f"Received output_sequence_length={length}."
        )
