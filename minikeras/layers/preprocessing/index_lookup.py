"""Layers that look up tokens in a vocabulary: integers, or vectors made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minikeras import backend as K
from minikeras.layers.preprocessing.data_layer import (
    DataLayer,
    batches_of,
    check_word,
    encoded_shape,
    present_name,
    refuse_sparse,
    two_salts,
)

__all__ = ["IndexLookup"]

OOV_METHODS = ("floormod", "farmhash")
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(DataLayer):
    """The number of each token in a vocabulary, or vectors that are made of these.

    The numbers are, in this order: 0 for the mask token, if there is one and the output
    is numbers; those for tokens that are not in the vocabulary; one for each token.

    Args:
        max_tokens: size of the vocabulary at most, special tokens included.
        num_oov_indices: how many numbers are set aside for unknown tokens, which are
            shared out by a hash. With 0 an unknown token is an error.
        mask_token: the token that stands for nothing.
        oov_token: what stands for unknown tokens in the vocabulary, and, with
            `invert`, for unknown numbers.
        vocabulary_dtype: ``"string"`` or ``"int64"``.
        vocabulary: the tokens, or the path of a file with one in each line.
        idf_weights: inverse document frequencies, one for each token.
        invert: whether to turn numbers into tokens.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"``, or
            ``"tf_idf"``: counts times the inverse document frequencies.
        sparse: must be False: there are no sparse tensors here.
        pad_to_max_tokens: whether vectors have `max_tokens` places anyway.
        oov_method: how unknown integers are shared out: ``"floormod"``, by their
            remainder, or ``"farmhash"``.
        salt: two integers, or one for both: a key for SipHash in place of FarmHash.
    """

    encoding = "utf-8"

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary_dtype: str,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.vocabulary_dtype = K.standardize_dtype(vocabulary_dtype)
        self.oov_method = check_word(self, oov_method, OOV_METHODS, "oov_method")
        self.output_mode = check_word(
            self, present_name(output_mode), MODES, "output_mode"
        )
        _check_sizes(max_tokens, num_oov_indices, pad_to_max_tokens)
        _check_modes(self.output_mode, invert, sparse, idf_weights)
        size, has_vocabulary = _from_file(kwargs, vocabulary)
        super().__init__(name=name)
        self.invert = invert
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        self.salt = self._checked_salt(salt)
        self.input_vocabulary = None if isinstance(vocabulary, str) else vocabulary
        self.input_idf_weights = idf_weights
        self._has_input_vocabulary = has_vocabulary
        self._begin(vocabulary, idf_weights, size)

    def _begin(self, vocabulary: Any, idf_weights: Any, size: int | None) -> None:
        """Start with the vocabulary given, or with none; its size may be known."""
        self.idf_weights: Any = None
        self._frozen_vocab_size = size
        self._table = self._table_of([])
        self._counts = K.TokenCounts()
        given = self._has_input_vocabulary
        if self.output_mode == "tf_idf" and given and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the "
                "`idf_weights` argument must also be provided."
            )
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _checked_salt(self, salt: Any) -> list[int] | None:
        hashed = self.vocabulary_dtype == "string" or self.oov_method == "farmhash"
        if salt is not None and not hashed:
            raise ValueError(
                "`salt` can only be used when `oov_method='farmhash'`. Received: "
                f"oov_method={self.oov_method}"
            )
        return two_salts(salt, "IndexLookup", "2")

    compute_dtype = property(lambda self: self.vocabulary_dtype)
    variable_dtype = property(lambda self: self.vocabulary_dtype)

    # -- the vocabulary ----------------------------------------------------------------

    @property
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    @property
    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + (
            [self.oov_token] * self.num_oov_indices
        )

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens by their numbers, those for mask and unknown before all."""
        special = self._special_tokens if include_special_tokens else []
        return [*special, *self._table.tokens]

    def vocabulary_size(self) -> int:
        """Return how many tokens there are, those for mask and unknown included."""
        return len(self._table)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the tokens, with or without the special ones before them.

        Args:
            vocabulary: tokens in the order of their numbers, or the path of a file
                with a token in each line.
            idf_weights: the inverse document frequency of each, for ``"tf_idf"``.

        Raises:
            ValueError: if a token is there twice or where it must not be, there are
                none or too many, or `idf_weights` do not fit.
            RuntimeError: if the layer has been used with another size of vocabulary.
        """
        self._check_idf(idf_weights)
        if isinstance(vocabulary, str):
            self._take(self._read(vocabulary))
            return
        given = self._keys(vocabulary).tolist()
        if not given:
            raise ValueError(
                f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}"
            )
        start = self._token_start
        complete = given[:start] == self._special_tokens
        tokens = given[start:] if complete else given
        self._check_tokens(tokens, given)
        self._take(tokens)
        if idf_weights is not None:
            self._take_idf(_vector(idf_weights, len(given)), complete)

    def _read(self, path: str) -> list[Any]:
        """Return the lines of a vocabulary file."""
        if K.in_safe_mode():
            raise ValueError(
                f"the vocabulary of layer '{self.name}' is to be read from '{path}', "
                "outside of the model archive: that could be any file of this machine. "
                "If you trust where the model comes from, pass `safe_mode=False`."
            )
        if not Path(path).exists():
            raise ValueError(f"Vocabulary file {path} does not exist.")
        if self.output_mode == "tf_idf":
            raise ValueError(
                "output_mode `'tf_idf'` does not support loading a vocabulary from "
                "file."
            )
        lines = Path(path).read_text(encoding=self.encoding).split("\n")
        return self._keys(lines if lines[-1] else lines[:-1]).tolist()

    def _keys(self, x: Any) -> Any:
        """Return tokens as an array of the vocabulary's dtype."""
        return K.token_array(x, self.vocabulary_dtype, self.encoding)

    def _take(self, tokens: Sequence[Any]) -> None:
        """Let these be the tokens, which are in order."""
        table = self._table_of(tokens)
        vectors = self.output_mode != "int" and not self.pad_to_max_tokens
        if vectors and self._frozen_vocab_size not in (None, len(table)):
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and "
                "`pad_to_max_tokens=False`, the vocabulary size cannot be changed "
                f"after the layer is called. Old vocab size is "
                f"{self._frozen_vocab_size}, new vocab size is {len(table)}"
            )
        self._table = table
        self._frozen_vocab_size = len(table)
        self.note_learned()

    def _table_of(self, tokens: Sequence[Any]) -> K.TokenTable:
        masks = {} if self.mask_token is None else {self.mask_token: self._mask_number}
        return K.TokenTable(tokens, self._token_start, masks, self._of_unknown)

    @property
    def _mask_number(self) -> int:
        """The number of the mask token: in vectors it has no place."""
        return 0 if self.output_mode == "int" else -1

    def _of_unknown(self, tokens: Any) -> Any:
        by_remainder = (
            self.vocabulary_dtype != "string" and self.oov_method != "farmhash"
        )
        return K.numbers_of_unknown(
            tokens, self._oov_start, self.num_oov_indices, self.salt, by_remainder
        )

    # -- what is said of it ------------------------------------------------------------

    def _check_idf(self, idf_weights: Any) -> None:
        """Raise ValueError unless weights are given if, and only if, they are used."""
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                "`idf_weights` should only be set if output_mode is `'tf_idf'`. "
                f"Received: output_mode={self.output_mode} and "
                f"idf_weights={idf_weights}"
            )

    def _check_tokens(self, tokens: list[Any], given: list[Any]) -> None:
        """Raise ValueError if these cannot be the tokens without special ones."""
        repeated = [token for token, n in Counter(tokens).items() if n > 1]
        if repeated:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please "
                f"uniquify your dataset. The repeated terms are: {repeated}"
            )
        self._check_not_among("mask", self.mask_token, tokens, given)
        if self.invert:
            self._check_not_among("OOV", self.oov_token, tokens, given)
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. "
                f"Received vocabulary size is {size}; `max_tokens` is "
                f"{self.max_tokens}."
            )

    def _check_not_among(
        self, what: str, token: Any, tokens: list[Any], given: list[Any]
    ) -> None:
        if token is not None and token in tokens:
            raise ValueError(
                f"Found reserved {what} token at unexpected location in `vocabulary`. "
                "Note that passed `vocabulary` does not need to include the OOV and "
                "mask tokens. Either remove all mask and OOV tokens, or include them "
                "only at the start of the vocabulary in precisely this order: "
                f"{self._special_tokens}. Received: {what.lower()}_token={token} at "
                f"vocabulary index {len(given) - 1 - given[::-1].index(token)}"
            )

    def _take_idf(self, weights: Sequence[float], complete: bool) -> None:
        """Let these be the weights of all tokens, or of all but the special ones.

        Special tokens then get the mean of the others.
        """
        weights = list(weights)
        if not complete:
            weights = [sum(weights) / len(weights)] * self._token_start + weights
        if self.pad_to_max_tokens and self.max_tokens is not None:
            weights += [0.0] * (self.max_tokens - len(weights))
        self.idf_weights = K.convert_to_numpy(K.cast(weights, K.floatx()))
        self.note_learned()

    # -- learning it -------------------------------------------------------------------

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn a vocabulary: the most frequent tokens.

        Args:
            data: an array or list of tokens, or what yields batches of them.
            steps: how many batches at most.

        Raises:
            ValueError: if the vocabulary was given.
        """
        self.reset_state()
        for batch in batches_of(data, steps, (list, tuple)):
            if batch is data:
                batch = self._keys(batch)
                batch = batch[:, None] if batch.ndim == 1 else batch
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget what was counted."""
        if not self._has_input_vocabulary:
            self._counts = K.TokenCounts()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch: each row is a document."""
        keys = self._keys(data)
        rows = keys if keys.ndim > 1 else keys.reshape(1, -1)
        self.count(rows.reshape(len(rows), -1).tolist())

    def count(self, documents: Any) -> None:
        """Count the tokens of documents, each a list of them.

        Raises:
            ValueError: if the vocabulary was given.
        """
        if self._has_input_vocabulary:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary "
                "via `vocabulary` argument or `set_vocabulary()` method."
            )
        self._counts.add(documents)

    def finalize_state(self) -> None:
        """Make a vocabulary of what was counted."""
        counts = self._counts
        if not counts.of_token:
            self._frozen_vocab_size = self.vocabulary_size()
            return
        limit = self.max_tokens and self.max_tokens - self._token_start
        tokens = counts.most_frequent(limit, (self.mask_token, self.oov_token))
        self._take(tokens)
        if self.output_mode == "tf_idf":
            self._take_idf(counts.inverse_frequencies(tokens), False)
        self.reset_state()

    # -- looking up --------------------------------------------------------------------

    def as_inputs(self, inputs: Any) -> Any:
        """Return tokens, or with `invert` numbers, as an array."""
        return K.convert_to_tensor(inputs) if self.invert else self._keys(inputs)

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        self.build(None)

    def call(self, inputs: Any) -> K.Tensor:
        kind = self.vocabulary_dtype if self.invert else "int64"
        found = K.py_func(self._found, [inputs], kind, shape=lambda shape: shape)
        return found if self.output_mode == "int" else self.vectors(inputs, found)

    def _found(self, x: Any) -> Any:
        if self.invert:
            return self._table.words(x, self.oov_token, self.vocabulary_dtype)
        return self.numbers(x)

    def numbers(self, tokens: Any) -> Any:
        """Return the numbers of an array of tokens."""
        return self._table.numbers(self._keys(tokens))

    def vectors(self, inputs: Any, numbers: Any, drop_last: bool = True) -> K.Tensor:
        """Return vectors made of the numbers that were found for inputs."""
        depth, weighted = self._depth, self.output_mode == "tf_idf"
        if depth is None or (weighted and self.idf_weights is None):
            return self.not_yet(inputs, K.floatx())
        mode = "count" if weighted else self.output_mode
        found = K.encode_categories(
            numbers, mode, depth, K.floatx(), drop_last=drop_last
        )
        return found * self.idf_weights if weighted else found

    @property
    def _depth(self) -> int | None:
        return self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size

    def _refuse(self, *inputs: Any) -> Any:
        raise RuntimeError(
            f"When using `output_mode={self.output_mode}` and "
            "`pad_to_max_tokens=False`, you must set the layer's vocabulary before "
            "calling it. Either pass a `vocabulary` argument to the layer, or call "
            "`adapt` with some sample data."
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, self.output_mode, self._depth)

    # -- in files ----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        names = (
            "invert",
            "max_tokens",
            "num_oov_indices",
            "oov_token",
            "mask_token",
            "output_mode",
            "sparse",
            "pad_to_max_tokens",
            "vocabulary_dtype",
            "oov_method",
            "salt",
        )
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in names},
            "idf_weights": listed(self.input_idf_weights),
            "vocabulary": listed(self.input_vocabulary),
            "vocabulary_size": self._frozen_vocab_size,
        }

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into a store."""
        if self.output_mode == "tf_idf":
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        """Take the inverse document frequencies out of a store."""
        if self.output_mode == "tf_idf":
            self.idf_weights = K.convert_to_numpy(store["idf_weights"])

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary, unless the config has it, to a file in a folder.

        Raises:
            ValueError: if a token contains the end of a line.
        """
        if self.input_vocabulary is not None:
            return
        lines = [f"{token}\n" for token in self.get_vocabulary()]
        broken = [line[:-1] for line in lines if "\n" in line[:-1]]
        if broken:
            raise ValueError(
                f"layer '{self.name}': a vocabulary's file has one token in each line, "
                f"so {broken} cannot be written to it. Pass the tokens as `vocabulary`."
            )
        Path(dir_path, "vocabulary.txt").write_text("".join(lines), encoding="utf-8")

    def load_assets(self, dir_path: Any) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        if self.input_vocabulary is not None:
            return
        text = Path(dir_path, "vocabulary.txt").read_text(encoding="utf-8")
        lines = text.removesuffix("\n").split("\n")
        if self.vocabulary_dtype != "string":
            lines = [int(line) for line in lines]
        weighted = self.output_mode == "tf_idf"
        self.set_vocabulary(lines, self.idf_weights[: len(lines)] if weighted else None)


def listed(values: Any) -> Any:
    """Return an array as a list, all else as it is."""
    return values.tolist() if hasattr(values, "tolist") else values


def _vector(weights: Any, size: int) -> list[float]:
    """Return inverse document frequencies as a list.

    Raises:
        ValueError: if there are not as many as tokens, or they are no vector.
    """
    if len(weights) != size:
        raise ValueError(
            "`idf_weights` must be the same length as vocabulary. len(idf_weights) is "
            f"{len(weights)}; len(vocabulary) is {size}"
        )
    found = K.convert_to_numpy(weights)
    if found.ndim != 1:
        raise ValueError(
            "TF-IDF data must be a 1-index array. Received: "
            f"type(idf_weights)={type(weights)}"
        )
    return found.tolist()


def _from_file(kwargs: dict[str, Any], vocabulary: Any) -> tuple[int | None, bool]:
    """Return what a config says besides: the size of a vocabulary, if it was given.

    Raises:
        ValueError: if there are arguments that are unknown.
    """
    known = ("vocabulary_size", "has_input_vocabulary", "trainable", "dtype")
    others = {k: v for k, v in kwargs.items() if k not in known}
    if others:
        raise ValueError(f"Unrecognized keyword argument(s): {others}")
    given = kwargs.get("has_input_vocabulary", vocabulary is not None)
    return kwargs.get("vocabulary_size"), given


def _check_sizes(max_tokens: int | None, num_oov_indices: int, pad: bool) -> None:
    """Raise ValueError if the numbers of tokens make no sense."""
    if max_tokens is not None and max_tokens <= 1:
        raise ValueError(
            "If set, `max_tokens` must be greater than 1. Received: "
            f"max_tokens={max_tokens}"
        )
    if pad and max_tokens is None:
        raise ValueError(
            "If pad_to_max_tokens is True, must set `max_tokens`. Received: "
            f"max_tokens={max_tokens}"
        )
    if num_oov_indices < 0:
        raise ValueError(
            "`num_oov_indices` must be greater than or equal to 0. Received: "
            f"num_oov_indices={num_oov_indices}"
        )


def _check_modes(mode: str, invert: bool, sparse: bool, idf_weights: Any) -> None:
    """Raise ValueError if arguments exclude each other."""
    if invert and mode != "int":
        raise ValueError(
            "`output_mode` must be `'int'` when `invert` is true. Received: "
            f"output_mode={mode}"
        )
    if sparse and mode == "int":
        raise ValueError(
            "`sparse` may only be true if `output_mode` is `'one_hot'`, "
            "`'multi_hot'`, `'count'` or `'tf_idf'`. Received: "
            f"sparse={sparse} and output_mode={mode}"
        )
    if idf_weights is not None and mode != "tf_idf":
        raise ValueError(
            "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. "
            f"Received: idf_weights={idf_weights} and output_mode={mode}"
        )
    refuse_sparse(sparse)
