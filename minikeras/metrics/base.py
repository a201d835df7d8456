"""What all metrics share: variables that collect, and methods that also take arrays.

A metric writes `update_state` and `result` in K, once. Called on tensors, or inside a
traced training step, they extend the graph; called on arrays, lists or numbers they run
compiled, and return arrays.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import initializers
from minikeras.backend.masking import any_array_masked, mask_of, set_mask

__all__ = ["Metric", "columns", "rank"]


class Metric(K.Configured):
    """Base of metrics: a value that is updated batch by batch.

    A subclass makes variables with `add_variable`, changes them in `update_state` by
    their ``assign`` methods, and computes its value from them in `result`.

    Args:
        dtype: of the computation; floatx by default.
        name: of the metric, and the first part of its variables' paths.
    """

    _direction: ClassVar[str | None] = None  # where better values are: "up" or "down"

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or K.auto_name(type(self).__name__)
        self._dtype = str(getattr(dtype, "compute_dtype", dtype) or K.floatx())
        self._variables: list[K.Variable] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("update_state", "result"):
            if name in vars(cls):
                setattr(cls, name, _also_on_arrays(vars(cls)[name]))

    @property
    def dtype(self) -> str:
        """In which it is computed."""
        return self._dtype

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Take one more batch into account."""
        raise NotImplementedError(f"{type(self).__name__} has no `update_state`")

    def result(self) -> Any:
        """Return the value over all batches since the last `reset_state`."""
        raise NotImplementedError(f"{type(self).__name__} has no `result`")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take one more batch into account; return the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def reset_state(self) -> None:
        """Forget all batches: set all variables to 0."""
        for variable in self.variables:
            variable.assign(_zeros(variable.shape, variable.dtype))

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """Return what `update_state` makes of these values of `variables`."""
        update = functools.partial(self.update_state, *args, **kwargs)
        return self._statelessly(update, metric_variables)[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """Return the result for these values of `variables`."""
        return self._statelessly(self.result, metric_variables)[0]

    def stateless_reset_state(self) -> list[Any]:
        """Return the values of `variables` from which to start."""
        return self._statelessly(self.reset_state, self.variables)[1]

    def _statelessly(self, run: Callable[[], Any], values: Sequence[Any]) -> Any:
        if len(values) != len(self.variables):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding "
                f"1:1 to {type(self).__name__}().variables. Received list with length "
                f"{len(values)}, but expected {len(self.variables)} variables."
            )
        return K.statelessly(run, self.variables, values)

    def add_variable(
        self,
        shape: Any = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> K.Variable:
        """Return a new variable, which `reset_state` sets to 0.

        Args:
            shape: of the variable.
            initializer: of its first value.
            dtype: floatx by default.
            aggregation: accepted; matters to distributed training alone.
            name: the last part of its path.
        """
        with K.name_scope(self.name.replace("/", ">")):
            variable = K.Variable(
                initializers.get("zeros" if initializer is None else initializer),
                shape=tuple(shape),
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> K.Variable:
        """Return a new variable: an older name of `add_variable`."""
        return self.add_variable(shape, initializer or "zeros", dtype, name=name)

    @property
    def variables(self) -> list[K.Variable]:
        """Its variables, and those of metrics that its attributes hold."""
        found = dict.fromkeys(self._variables)
        for part in self._parts():
            within = part.variables if isinstance(part, Metric) else [part]
            found.update(dict.fromkeys(within))
        return list(found)

    def _parts(self) -> list[Any]:
        """Return the variables and metrics among its attributes.

        They are looked for when another attribute is there, or one has grown.
        """
        values = [v for name, v in vars(self).items() if name != "_parts_of"]
        sizes = [len(v) if K.tree.is_nested(v) else 0 for v in values]
        before, of_size, parts = self.__dict__.get("_parts_of", ([], [], []))
        if sizes != of_size or any(map(operator.is_not, values, before)):
            kinds = (K.Variable, Metric)
            parts = [v for v in K.tree.flatten(values) if isinstance(v, kinds)]
            self.__dict__["_parts_of"] = values, sizes, parts
        return parts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_zeros = functools.cache(K.zeros)


def columns(name: str, y_true: Any, y_pred: Any) -> int:
    """Return how many columns two matrices have, of which shapes are given.

    Raises:
        ValueError: if one is no matrix, or that is not known.
    """
    shapes = f"y_pred.shape={tuple(y_pred)} and y_true.shape={tuple(y_true)}."
    form = f"{name} expects 2D inputs with shape (batch_size, output_dim)"
    if not len(y_true) == len(y_pred) == 2:
        raise ValueError(f"{form}. Received input shapes: {shapes}")
    if None in (y_true[-1], y_pred[-1]):
        raise ValueError(
            f"{form}, with output_dim fully defined (not None). Received input "
            f"shapes: {shapes}"
        )
    return y_pred[-1]


def rank(x: Any) -> int:
    """Return the number of axes of `x`.

    Raises:
        ValueError: if it is not known.
    """
    axes = K.ndim(x)
    if axes is None:
        raise ValueError(f"a metric needs to know how many axes there are in {x}")
    return axes


def _also_on_arrays(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return `method` as one that runs compiled where nothing is symbolic."""

    def with_masks(self: Metric, masks: Any, *args: Any, **kwargs: Any) -> Any:
        if masks is not None:
            K.tree.map_structure(set_mask, (args, kwargs), masks)
        return method(self, *args, **kwargs)

    compiled = K.compiled_method(with_masks)

    @functools.wraps(method)
    def call(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if K.current_trace() is not None:
            return method(self, *args, **kwargs)
        args, kwargs = tuple(map(_concrete, args)), _concrete(kwargs)
        masked = any_array_masked()
        masks = K.tree.map_structure(mask_of, (args, kwargs)) if masked else None
        return compiled(self, masks, *args, **kwargs)

    return call


def _concrete(x: Any) -> Any:
    """Return numbers, lists of them and variables as arrays, all else as it is."""
    if isinstance(x, K.Variable):
        return x.value
    if isinstance(x, dict):
        return {key: _concrete(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)) and not all(map(_is_number, K.tree.flatten(x))):
        return type(x)(map(_concrete, x))
    if isinstance(x, (list, tuple)) or _is_number(x):
        return K.convert_to_tensor(x)
    return x


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float)) or (K.is_array(x) and not x.shape)
