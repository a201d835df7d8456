"""A layer's arguments: checked when it is made, given back when it is saved."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from minikeras import activations
from minikeras import backend as K

__all__ = [
    "TURNED_OFF",
    "given_arguments",
    "is_turned_off",
    "kept_arguments",
    "one_of",
    "positive",
    "sizes",
]

_PACKAGE = __name__.partition(".")[0]

# What Keras writes into its files for features that are not here, when they are off.
TURNED_OFF = {
    "input_length": None,
    "lora_alpha": None,
    "lora_rank": None,
    "quantization_config": None,
    "ragged": False,
    "sparse": False,
    "synchronized": False,
}


# -- checks ----------------------------------------------------------------------------


def is_turned_off(name: str, value: Any) -> bool:
    """Whether it is an argument of Keras's for what is not here, and not asked for."""
    return name in TURNED_OFF and value == TURNED_OFF[name]


# Keras says it in a different way here and there.
STRICTLY = (
    "Invalid value for argument `{0}`. Expected a strictly positive value. "
    "Received {0}={1}."
)
RECEIVED = (
    "Received an invalid value for argument `{0}`, expected a positive integer, "
    "got {1}."
)
UNITS = (
    "Received an invalid value for `{0}`, expected a positive integer. Received: "
    "{0}={1}"
)
MUST_BE = "`{0}` must be a positive integer. Received: {0}={1} (of type {2})."
NUMBER = "The number of {0} must be a positive integer. Received: {0}={1}."
SHOULD_BE = "Argument `{0}` should be a positive integer. Received: {0}={1}"


def positive(value: Any, name: str, form: str = STRICTLY) -> int:
    """Return `value`, an integer above 0.

    Args:
        value: what was given.
        name: of the argument.
        form: of the message.

    Raises:
        TypeError: if it is no integer, where the form has no word for it.
        ValueError: if it is not above 0.
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    if form is SHOULD_BE and not whole:
        raise TypeError(f"Expected an integer value for `{name}`, got {type(value)}.")
    if not whole or value <= 0:
        raise ValueError(form.format(name, value, type(value).__name__))
    return value


def sizes(value: Any, n: int, name: str, least: int = 1) -> tuple[int, ...]:
    """Return `value` as `n` sizes; a single one counts for all.

    Raises:
        ValueError: if there are not `n` of them, or one is below `least`.
    """
    found = (value,) * n if isinstance(value, int) else value
    whole = isinstance(found, Sequence) and all(isinstance(k, int) for k in found)
    if not whole or len(found) != n:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {n} integers. "
            f"Received {name}={value}"
        )
    low = {k for k in found if k < least}
    if low:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {n} integers. Received "
            f"{name}={value}, including values {low} that do not satisfy "
            f"`value {'> 0' if least else '>= 0'}`"
        )
    return tuple(found)


def one_of(value: Any, allowed: Sequence[Any], name: str) -> Any:
    """Return `value`, a string in small letters.

    Raises:
        ValueError: if it is not among those allowed.
    """
    found = value.lower() if isinstance(value, str) else value
    if found not in allowed:
        raise ValueError(
            f"The `{name}` argument must be one of {allowed}. Received: {value}"
        )
    return found


# -- configs ---------------------------------------------------------------------------


def kept_arguments(layer: Any, base: type) -> dict[str, Any]:
    """Return the arguments of a layer of this package, in the form for a config.

    Each is kept by the layer as an attribute of the same name. Of a user's class those
    are returned which it inherits from a class of this package; those of `base` never.
    """
    own = next(c for c in type(layer).__mro__ if c.__module__.startswith(_PACKAGE))
    names = set(vars(layer)) - {*K.constructor_arguments(base)}
    taken = (*K.constructor_arguments(own), *layer._kept_besides)
    kept = (name for name in taken if name in names)
    return {name: _written(getattr(layer, name)) for name in kept}


def _written(value: Any) -> Any:
    if hasattr(value, "get_config") or hasattr(value, "__array__"):
        return K.serialize_keras_object(value)
    return activations.serialize(value) if callable(value) else value


def given_arguments(layer: Any) -> dict[str, Any]:
    """Return what a user's own class of layer was made with, in the form for a config.

    Raises:
        NotImplementedError: if an argument cannot be written to a file.
    """
    cls = type(layer)
    if cls.__module__.startswith(_PACKAGE):
        return {}
    args, kwargs = layer._init_arguments
    bound = inspect.signature(cls.__init__).bind(layer, *args, **kwargs)
    bound.apply_defaults()
    found = bound.arguments
    for name, parameter in bound.signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found.update(found.pop(name))
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL and found.pop(name):
            raise NotImplementedError(
                f"{cls.__name__} takes any number of positional arguments, so that it "
                "cannot be made again by names: it must override `get_config()` and "
                "`from_config()` in order to be serializable."
            )
    given = dict(list(found.items())[1:])
    try:
        return {name: K.serialize_keras_object(value) for name, value in given.items()}
    except (TypeError, ValueError) as error:
        raise NotImplementedError(
            f"Layer {cls.__name__} was created with an argument that cannot be written "
            "to a file, and therefore the layer must override `get_config()` in order "
            f"to be serializable: {error}"
        ) from None
