"""`FeatureSpace`: the columns of a table, each prepared in its own way, then joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from minikeras import backend as K
from minikeras import saving
from minikeras.layers import (
    CategoryEncoding,
    Discretization,
    HashedCrossing,
    Hashing,
    Input,
    IntegerLookup,
    Layer,
    Normalization,
    Rescaling,
    StringLookup,
)
from minikeras.layers.pipelines import in_pipeline, joined_to_pipeline
from minikeras.layers.preprocessing.data_layer import DataLayer

__all__ = ["Cross", "Feature", "FeatureSpace"]

BATCH = 32  # values of a table that `adapt` looks at together


class Feature:
    """How one column is prepared.

    Args:
        dtype: of the column.
        preprocessor: the layer, or its config.
        output_mode: ``"one_hot"``, to encode the integers that the layer returns;
            ``"int"`` or ``"float"``, to leave what it returns as it is.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        _check_mode(output_mode, ("int", "one_hot", "float"))
        described = isinstance(preprocessor, dict)
        self.dtype = dtype
        self.preprocessor = (
            K.deserialize_keras_object(preprocessor) if described else preprocessor
        )
        self.output_mode = output_mode

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            "dtype": self.dtype,
            "preprocessor": K.serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """Return a new one made from the result of `get_config`."""
        return cls(**config)


class Cross:
    """Several columns as one, by a hash of their values.

    Args:
        feature_names: of the columns.
        crossing_dim: how many bins there are.
        output_mode: ``"one_hot"`` or ``"int"``.
    """

    def __init__(
        self,
        feature_names: Sequence[str],
        crossing_dim: int,
        output_mode: str = "one_hot",
    ) -> None:
        _check_mode(output_mode, ("int", "one_hot"))
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    name = property(lambda self: "_X_".join(self.feature_names), doc="Its name.")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """Return a new one made from the result of `get_config`."""
        return cls(**config)


def _check_mode(mode: str, allowed: tuple[str, ...]) -> None:
    if mode not in allowed:
        raise ValueError(
            "Invalid value for argument `output_mode`. Expected one of "
            f"{set(allowed)}. Received: output_mode={mode}"
        )


class TFDIdentity(DataLayer):
    """The inputs, as floating-point numbers."""

    def call(self, inputs: Any) -> Any:
        return K.cast(inputs, self.compute_dtype)


class TFDConcat(DataLayer):
    """The inputs side by side.

    Args:
        axis: that of the features.
    """

    def __init__(self, axis: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def as_inputs(self, inputs: Any) -> Any:
        """Return the inputs, which are arrays."""
        return inputs

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: there are no weights."""

    def call(self, inputs: Any) -> Any:
        return K.concatenate([*inputs], self.axis)


class FeatureSpace(Layer):
    """A table, a dict of columns, as one array of features, or as a dict of them.

    Args:
        features: for each column how it is prepared: a `Feature`, or the name of a
            method of this class that makes one, such as ``"float_normalized"``.
        output_mode: ``"concat"``, for one array, or ``"dict"``.
        crosses: tuples of names of columns that are also to be taken together, or what
            `cross` returns.
        crossing_dim: the bins of such a cross.
        hashing_dim: the bins of a hashed column.
        num_discretization_bins: the bins of a discretized column.

    Raises:
        ValueError: if there are no features, or one of a cross is unknown.

    Example:
        >>> space = FeatureSpace({"age": "float", "job": "string_categorical"})
        >>> space.adapt({"age": [40, 62], "job": ["smith", "baker"]})
        >>> space({"age": [31, 18], "job": ["baker", "miller"]})
        array([[31.,  0.,  0.,  1.],
               [18.,  1.,  0.,  0.]], dtype=float32)
    """

    # In files, as in Keras's, the layers are found as `preprocessors` alone.
    _not_saved = frozenset({"features"})

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        _check_mode(output_mode, ("dict", "concat"))
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = output_mode
        self.features = {k: self._as_feature(k, v) for k, v in features.items()}
        self.crosses = [self._as_cross(cross) for cross in crosses or ()]
        self.inputs = {
            key: Input((1,), dtype=feature.dtype, name=key)
            for key, feature in self.features.items()
        }
        self.preprocessors = {k: v.preprocessor for k, v in self.features.items()}
        self.crossers = {
            cross.name: HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Layer] = {}
        self.concat = TFDConcat(axis=-1)
        self.encoded_features: Any = None
        self._is_adapted = False

    # -- kinds of columns --------------------------------------------------------------

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """Return how a column is prepared; see `Feature`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def cross(
        cls,
        feature_names: Sequence[str],
        crossing_dim: int,
        output_mode: str = "one_hot",
    ) -> Cross:
        """Return how columns are taken together; see `Cross`."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Return a feature: numbers as they are."""
        layer = TFDIdentity(dtype="float32", name=_named("float", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """Return a feature: numbers times `scale`, plus `offset`."""
        layer = Rescaling(scale, offset, name=_named("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Return a feature: numbers brought to mean 0 and variance 1."""
        layer = Normalization(axis=-1, name=_named("float_normalized", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature: the bins of numbers."""
        named = _named("float_discretized", name)
        layer = Discretization(bin_boundaries, num_bins, name=named)
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature: integers, looked up in a vocabulary."""
        named = _named("integer_categorical", name)
        layer = IntegerLookup(max_tokens, num_oov_indices, name=named)
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Return a feature: strings, looked up in a vocabulary."""
        named = _named("string_categorical", name)
        layer = StringLookup(max_tokens, num_oov_indices, name=named)
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature: integers, shared out over bins by a hash."""
        layer = Hashing(num_bins, name=_named("integer_hashed", name))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Return a feature: strings, shared out over bins by a hash."""
        layer = Hashing(num_bins, name=_named("string_hashed", name))
        return Feature("string", layer, output_mode)

    def _as_feature(self, name: str, value: Any) -> Feature:
        if isinstance(value, Feature):
            return value
        if isinstance(value, dict):
            return K.deserialize_keras_object(value)
        sizes = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        if value not in KINDS:
            raise ValueError(f"Invalid feature type: {value}")
        size = [sizes[value]] if value in sizes else []
        return getattr(self, value)(*size, name=name)

    def _as_cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = K.deserialize_keras_object(cross)
        if isinstance(cross, Cross):
            return cross
        if not self.crossing_dim:
            raise ValueError(
                "When specifying `crosses`, the argument `crossing_dim` "
                "(dimensionality of the crossing space) should be specified as well."
            )
        if not self.features.keys() >= set(cross):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present "
                f"in the `features` dict. Received unknown features: {cross}"
            )
        return Cross(cross, self.crossing_dim)

    # -- learning ----------------------------------------------------------------------

    def adapt(self, dataset: Any) -> None:
        """Let the layers of all columns that need it look at data.

        Args:
            dataset: a dict of columns; or a dataset, which can be gone through several
                times, of dicts: samples or batches.

        Raises:
            ValueError: if it is neither.
        """
        again = hasattr(dataset, "__iter__") and iter(dataset) is not dataset
        if K.is_array(dataset) or isinstance(dataset, str) or not again:
            raise ValueError(
                "`adapt()` can only be called on a tf.data.Dataset or a dict of "
                f"arrays/lists. Received instead: {dataset} (of type {type(dataset)})"
            )
        for name in self._list_adaptable_preprocessors():
            self.preprocessors[name].adapt(_column(dataset, name))
        self._is_adapted = True
        self.encoded_features = None
        self.one_hot_encoders = {}
        self.get_encoded_features()

    def _list_adaptable_preprocessors(self) -> list[str]:
        return [name for name, x in self.preprocessors.items() if _is_adaptable(x)]

    def _check_if_adapted(self) -> None:
        if not self._is_adapted and self._list_adaptable_preprocessors():
            raise ValueError(
                "You need to call `.adapt(dataset)` on the FeatureSpace before you can "
                "start using it."
            )
        self._is_adapted = True

    # -- use ---------------------------------------------------------------------------

    def get_inputs(self) -> dict[str, Any]:
        """Return the symbolic inputs, one a column: those of a model that prepares."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """Return what is made of the symbolic inputs: with them, a model.

        Raises:
            ValueError: if `adapt` is needed first.
        """
        self._check_if_adapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
            self.built = True
        return self.encoded_features

    def __call__(self, data: Any) -> Any:
        """Return the features of a table: of columns, or of one value of each.

        Raises:
            ValueError: if it is no dict, or `adapt` is needed first.
        """
        self.get_encoded_features()
        if not isinstance(data, dict):
            raise ValueError(
                "A FeatureSpace can only be called with a dict. Received: "
                f"data={data} (of type {type(data)}"
            )
        if in_pipeline(data):
            return joined_to_pipeline(self, (data,), {})
        columns = {name: K.convert_to_tensor(data[name]) for name in self.features}
        single = any(K.ndim(x) == 0 for x in columns.values())
        found = self._encoded({name: _upright(x) for name, x in columns.items()})
        return K.tree.map_structure(lambda y: y[0], found) if single else found

    def _encoded(self, columns: Mapping[str, Any]) -> Any:
        """Return the features of columns, each an array (batch, 1) or a tensor."""
        prepared = {
            name: self.preprocessors[name](x) for name, x in sorted(columns.items())
        }
        crossed = {
            cross.name: self.crossers[cross.name](
                [prepared[name] for name in cross.feature_names]
            )
            for cross in sorted(self.crosses, key=lambda cross: cross.name)
        }
        modes = {name: feature.output_mode for name, feature in self.features.items()}
        modes |= {cross.name: cross.output_mode for cross in self.crosses}
        found = {
            name: self._one_hot(name, x) if modes[name] == "one_hot" else x
            for name, x in (prepared | crossed).items()
        }
        if self.output_mode == "dict":
            return found
        for name, x in found.items():
            _check_encoded(name, x)
        return self.concat([*found.values()])

    def _one_hot(self, name: str, x: Any) -> Any:
        """Return the integers of a feature one-hot.

        Raises:
            ValueError: if they are none, or nobody knows how many there may be.
        """
        if name not in self.one_hot_encoders:
            kind = K.standardize_dtype(x.dtype)
            if not kind.startswith("int"):
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. Thus its "
                    "preprocessor should return an integer dtype. Instead it returns "
                    f"a {kind} dtype."
                )
            layer = self.preprocessors.get(name) or self.crossers.get(name)
            self.one_hot_encoders[name] = CategoryEncoding(_cardinality(name, layer))
        return self.one_hot_encoders[name](x)

    # -- in files ----------------------------------------------------------------------

    def save(self, filepath: Any) -> None:
        """Write it to a ``.keras`` file, which `saving.load_model` reads."""
        saving.save_model(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """Do nothing: the layers have it all."""

    def load_own_variables(self, store: Any) -> None:
        """Do nothing: the layers have it all."""

    def get_config(self) -> dict[str, Any]:
        return {
            "features": K.serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": K.serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        cls, config: dict[str, Any]
    ) -> FeatureSpace:
        """Return a feature space made from the result of `get_config`."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        return {name: x.get_build_config() for name, x in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        for name, shapes in config.items():
            if shapes and not self.preprocessors[name].built:
                self.preprocessors[name].build_from_config(shapes)
        self._is_adapted = True


# The methods of `FeatureSpace` that a column may be described by.
KINDS = (
    "float",
    "float_rescaled",
    "float_normalized",
    "float_discretized",
    "integer_categorical",
    "string_categorical",
    "integer_hashed",
    "string_hashed",
)


def _named(kind: str, name: str | None) -> str:
    return f"{name or K.auto_name(kind)}_preprocessor"


def _is_adaptable(layer: Any) -> bool:
    """Whether a layer learns from data, and is not told all by its arguments."""
    told = (
        getattr(layer, "_has_input_vocabulary", False)
        or getattr(layer, "input_mean", None) is not None
        or getattr(layer, "num_bins", 0) is None
    )
    return hasattr(layer, "adapt") and not told


def _cardinality(name: str, layer: Any) -> int:
    """Return how many integers a layer may return.

    Raises:
        ValueError: if it does not say so.
    """
    if isinstance(layer, (IntegerLookup, StringLookup)):
        return layer.vocabulary_size()
    if isinstance(layer, CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, Discretization):
        return layer.num_bins or layer._depth
    if isinstance(layer, (HashedCrossing, Hashing)):
        return layer.num_bins
    raise ValueError(
        f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard "
        "feature and the dimensionality of its output space is not known, thus it "
        "cannot be one-hot encoded. Try using `output_mode='int'`."
    )


def _check_encoded(name: str, x: Any) -> None:
    """Raise ValueError if a feature cannot stand beside others in one array."""
    kind = K.standardize_dtype(x.dtype)
    if kind.startswith("int") or kind == "string":
        raise ValueError(
            f"Cannot concatenate features because feature '{name}' has not been "
            f"encoded (it has dtype {kind}). Consider using `output_mode='dict'`."
        )


def _upright(x: Any) -> Any:
    """Return one value as (1, 1), a row of them as a column."""
    rank = K.ndim(x)
    return K.reshape(x, (1, 1)) if rank == 0 else _column_of(x) if rank == 1 else x


def _column_of(x: Any) -> Any:
    return K.expand_dims(x, -1)


def _column(dataset: Any, name: str) -> Iterator[Any]:
    """Yield the values of one column of a table or dataset, in batches (batch, 1)."""
    if isinstance(dataset, dict):
        rows = iter(K.convert_to_numpy(dataset[name]).reshape(-1, 1))
    else:
        rows = (K.convert_to_numpy(row[name]) for row in dataset)
    for row in rows:
        if row.size == 1:  # a single value: so are those that follow
            group = [row, *islice(rows, BATCH - 1)]
            yield _column_of(K.convert_to_tensor([x.item() for x in group]))
        else:
            yield _upright(row)
