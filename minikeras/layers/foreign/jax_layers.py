"""JAX's models as layers: `JaxLayer`, and `FlaxLayer` for modules of Flax."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.layers.base import Layer
from minikeras.layers.foreign.jax_functions import JaxFunction, library
from minikeras.layers.foreign.leaves import tensors_among
from minikeras.utils.extras import required

__all__ = ["FlaxLayer", "JaxLayer"]

_OF_PYTHON = {bool: "bool", int: "int32", float: None}  # None: the layer's own dtype
_FOR_CALL = ("params", "state", "rng", "inputs", "training")
_FOR_INIT = ("rng", "inputs", "training")


class JaxLayer(Layer):
    """A model written in JAX: a function of its parameters and inputs.

    The leaves of `params` and `state` become variables of the layer. JAX compiles and
    differentiates the function; it has to be one that `jax.jit` takes. A function is
    written to a file by the name under which it is registered
    (`register_keras_serializable`).

    Args:
        call_fn: the model, a function of ``inputs``, and by these names of what it
            needs of ``params``, ``state``, ``rng`` and ``training``. With a state it
            returns the outputs and the new state, else the outputs alone.
        init_fn: makes the parameters, or parameters and state, when the layer is built;
            a function of ``inputs`` (ones, of the inputs' shapes), and if it needs them
            of ``rng`` and ``training``.
        params: what is trained, any nesting of arrays, instead of `init_fn`.
        state: what is not trained.
        seed: of the keys that `call_fn` gets as ``rng`` in training.
        native_serialization_platforms: accepted, as in Keras.

    Raises:
        ImportError: if JAX is not installed.
        ValueError: if a function has other arguments, or there is nothing to start
            from.

    Example:
        >>> def affine(params, inputs):
        ...     return inputs @ params["w"] + params["b"]
        >>> layer = JaxLayer(affine, params={"w": np.ones((3, 2)), "b": np.ones(2)})
        >>> layer(np.ones((1, 3)))
        array([[4., 4.]], dtype=float32)
    """

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        self._jax = library(type(self).__name__)
        super().__init__(**kwargs)
        self.call_fn = call_fn
        self.init_fn = init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._keep(params, state)
        self.call_fn_arguments = _arguments(call_fn, "call_fn", _FOR_CALL)
        self.seed_generator = (
            K.SeedGenerator(seed) if "rng" in self.call_fn_arguments else None
        )
        needed = {"params", "state"} & {*self.call_fn_arguments}
        self._starts = bool(needed) and params is None and state is None
        if self._starts and init_fn is None:
            raise ValueError(
                "`init_fn`, `params` and `state` cannot all be `None` when "
                "`call_fn` takes a `params` or a `state` argument."
            )
        if init_fn:
            self.init_fn_arguments = _arguments(init_fn, "init_fn", _FOR_INIT)
        if params is not None or state is not None:
            self._finish_build()

    def _keep(self, params: Any, state: Any) -> None:
        """Make variables of parameters and state."""
        self._params = self._as_variables(params, trainable=True)
        self._state = self._as_variables(state, trainable=False)
        # JAX knows classes of containers whose variables only JAX finds.
        leaves = self._jax.tree_util.tree_leaves
        self.tracked_params = leaves(self._params)
        self.tracked_state = leaves(self._state)

    def _as_variables(self, values: Any, trainable: bool) -> Any:
        def variable(value: Any) -> Any:
            if type(value) not in _OF_PYTHON and not hasattr(value, "dtype"):
                return value  # part of the model's configuration
            array = K.convert_to_numpy(value)
            kind = _OF_PYTHON.get(type(value), K.standardize_dtype(array.dtype))
            return self.add_weight(
                array.shape,
                array,
                None if kind and K.is_float_dtype(kind) else kind,
                trainable=trainable,
            )

        return self._jax.tree_util.tree_map(variable, values)

    @property
    def params(self) -> Any:
        """The parameters, as a nesting of variables."""
        return self._params

    @property
    def state(self) -> Any:
        """What is not trained, as a nesting of variables."""
        return self._state

    def build(self, input_shape: Any) -> None:
        if not self._starts:
            return

        def ones(shape: Sequence[int | None]) -> Any:
            return self._jax.numpy.ones([1 if n is None else n for n in shape])

        offered = {
            "inputs": tree.map_shape_structure(ones, input_shape),
            "rng": self._jax.tree_util.tree_map(
                self._jax.numpy.asarray, self._get_init_rng()
            ),
            "training": True,
        }
        init: Any = self.init_fn
        made = init(*(offered[name] for name in self.init_fn_arguments))
        self._keep(*(made if "state" in self.call_fn_arguments else (made, None)))
        self._starts = False

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        offered = {
            "params": lambda: self._values(self._params),
            "state": lambda: self._values(self._state),
            "rng": lambda: self._get_call_rng(training),
            "inputs": lambda: inputs,
            "training": lambda: bool(training),
        }
        names = self.call_fn_arguments
        found = self._computed([offered[name]() for name in names])
        if "state" not in names:
            return found
        outputs, state = found
        self._jax.tree_util.tree_map(_assign, state, self._state)
        return outputs

    def _values(self, variables: Any) -> Any:
        return self._jax.tree_util.tree_map(
            lambda v: v.value if K.is_variable(v) else v, variables
        )

    def _computed(self, args: list[Any]) -> Any:
        """Return what `call_fn` does, as one operation of the tensors in `args`."""
        trees = self._jax.tree_util
        leaves, layout = trees.tree_flatten(args)
        tensors, filled = tensors_among(leaves)
        nesting: Any = None  # of the outputs, known once it has been tried

        def function(*arrays: Any) -> list[Any]:
            nonlocal nesting
            given = layout.unflatten(filled(arrays))
            ys, nesting = trees.tree_flatten(self.call_fn(*given))
            return [*map(self._jax.numpy.asarray, ys)]

        ys = K.foreign(JaxFunction(function), tensors)
        return nesting.unflatten(ys)

    # -- randomness --------------------------------------------------------------------

    def _get_init_seed(self) -> Any:
        return K.draw_seed(None)

    def _get_init_rng(self) -> Any:
        """Return the ``rng`` of `init_fn`: a key, or a nesting of keys."""
        return self._get_init_seed()

    def _get_call_seed(self) -> Any:
        generator: Any = self.seed_generator
        return generator.next()

    def _get_call_rng(self, training: bool | None) -> Any:
        """Return the ``rng`` of `call_fn`: a key, or a nesting of keys."""
        return self._get_call_seed() if training else None


class FlaxLayer(JaxLayer):
    """A module of Flax (``flax.linen``) as a layer.

    Its collection ``params`` is trained; all others are state.

    Args:
        module: the module.
        method: which of its methods is called, or a function of the module and the
            inputs; ``__call__`` by default. A ``training`` argument is passed to it.
        variables: its variables, as ``module.init`` returns them; by default that is
            called when the layer is built.

    Raises:
        ImportError: if Flax is not installed.
    """

    def __init__(
        self,
        module: Any,
        method: Any = None,
        variables: Any = None,
        **kwargs: Any,
    ) -> None:
        linen = required("flax.linen", "flax", type(self).__name__)
        self.module = module
        self._method = getattr(module, method) if isinstance(method, str) else method
        mutable = linen.DenyList(["params"])
        called = inspect.signature(self._method or module.__call__)
        takes_training = "training" in called.parameters

        def options(training: bool) -> dict[str, Any]:
            more = {"training": training} if takes_training else {}
            return {"method": self._method, **more}

        def apply(
            params: Any, state: Any, rng: Any, inputs: Any, training: bool
        ) -> Any:
            weights = {**(params or {}), **(state or {})}
            more = options(training)
            return module.apply(weights, inputs, rngs=rng, mutable=mutable, **more)

        def init(rng: Any, inputs: Any, training: bool) -> Any:
            return _split(module.init(rng, inputs, **options(training)))

        params, state = _split(variables)
        super().__init__(apply, init, params=params, state=state, **kwargs)

    @property
    def method(self) -> Any:
        """Which method of the module is called, None for ``__call__``."""
        return self._method

    def _get_init_rng(self) -> Any:
        return {"params": self._get_init_seed(), "dropout": self._get_init_seed()}

    def _get_call_rng(self, training: bool | None) -> Any:
        return {"dropout": self._get_call_seed()} if training else {}

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        of_module = getattr(self.method, "__self__", None) == self.module
        named = self.method.__name__ if of_module else self.method
        rest = {k: v for k, v in config.items() if k not in ("call_fn", "init_fn")}
        return {**rest, "method": K.serialize_keras_object(named)}


def _arguments(
    function: Callable[..., Any], name: str, allowed: Sequence[str]
) -> list[str]:
    """Return the names of a function's arguments.

    Raises:
        ValueError: if one is unknown, or there is none for the inputs.
    """
    found = list(inspect.signature(function).parameters)
    if "inputs" not in found:
        raise ValueError(f"Missing required argument in `{name}`: `inputs`")
    for unknown in (argument for argument in found if argument not in allowed):
        raise ValueError(
            f"Unsupported argument in `{name}`: `{unknown}`, supported arguments are "
            f"`{'`, `'.join(allowed)}`"
        )
    return found


def _assign(value: Any, variable: Any) -> None:
    """Give a variable its new value.

    Raises:
        ValueError: if there is none at this place.
    """
    if not K.is_variable(variable):
        raise ValueError(
            "Structure mismatch: the structure of the state returned by `call` does "
            "not match the structure of the state at initialization time."
        )
    variable.assign(value)


def _split(variables: Any) -> tuple[Any, Any]:
    """Return the collection ``params`` of a module's variables, and the others."""
    if variables is None:
        return None, None
    trained = {k: v for k, v in variables.items() if k == "params"}
    return trained, {k: v for k, v in variables.items() if k != "params"}
