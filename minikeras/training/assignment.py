"""Which loss is for which outputs, where either may be nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras import tree
from minikeras.training.outputs import Outputs

__all__ = ["Choice", "assigned"]


class Choice(NamedTuple):
    """A loss, and what it is for.

    Attributes:
        loss: as it was given.
        weight: factor in the sum; None for 1.
        place: the number of the output, or several in a nesting.
        path: the keys and indices that lead there.
    """

    loss: Any
    weight: Any
    place: Any
    path: tuple[Any, ...] = ()


def assigned(loss: Any, weights: Any, outputs: Outputs) -> Iterator[Choice]:
    """Yield each loss with its weight and the outputs that it is for.

    A single loss is for each of the outputs. A list with as many as there are outputs
    has them in order, a dict by name or key. A list where the outputs are not in one
    holds several losses, each of all of the outputs; and the same within.

    Raises:
        KeyError: if there is no output where a loss is.
        ValueError: if losses, weights and outputs do not fit together.
    """
    places = outputs.places
    by_name = isinstance(loss, dict) and not isinstance(places, dict)
    if by_name and set(loss) != set(outputs.names) and outputs.model_has_names:
        unknown = [name for name in loss if name not in outputs.names][:1]
        hint = "".join(K.did_you_mean(name, outputs.names) for name in unknown)
        raise ValueError(
            f"Expected keys {outputs.names} in loss dict, but found "
            f"loss.keys()={list(loss)}.{hint}"
        )
    if by_name or not K.tree.is_nested(loss):
        loss = outputs.align(loss, "loss", for_all=True)
        weights = outputs.align(weights, "loss_weights", for_all=True)
        places = list(range(len(outputs)))
    elif isinstance(loss, (list, tuple)) and not _holds_several(loss, outputs):
        outputs.align(loss, "loss")
    yield from _within(Choice(loss, _like(loss, weights, outputs), places))


def _holds_several(loss: Any, outputs: Outputs) -> bool:
    return not isinstance(outputs.places, type(loss)) and K.tree.is_nested(
        outputs.places
    )


def _like(loss: Any, weights: Any, outputs: Outputs) -> Any:
    """Return the weights in the nesting of the losses."""
    if isinstance(weights, dict) and not isinstance(loss, dict):
        return outputs.align(weights, "loss_weights")
    if isinstance(weights, (list, tuple)):
        flat, wanted = K.tree.flatten(weights), K.tree.flatten(loss)
        if len(flat) != len(wanted):
            raise ValueError(
                f"`loss_weights` must match the number of losses, got {len(wanted)} "
                f"losses and {len(flat)} weights."
            )
        return K.tree.pack_sequence_as(loss, flat)
    return weights


def _within(choice: Choice) -> Iterator[Choice]:
    """Yield the losses of which the one chosen is made."""
    if K.tree.is_nested(choice.loss):
        for part in _parts(choice):
            yield from _within(part)
    elif choice.loss is not None:
        yield choice


def _parts(choice: Choice) -> Iterator[Choice]:
    loss, weight, place, path = choice
    is_dict = isinstance(loss, dict)
    ends = tree.flatten_with_path(place)
    if not is_dict and len(loss) == len(ends) and not any(map(K.tree.is_nested, loss)):
        for i, (below, end) in enumerate(ends):
            yield Choice(loss[i], _part(weight, i), end, (*path, *below))
    elif not is_dict and not isinstance(place, type(loss)):
        for i, part in enumerate(loss):
            yield Choice(part, _part(weight, i), place, path)
    else:
        for key in loss if is_dict else range(len(loss)):
            inner = _below(place, key, path)
            yield Choice(loss[key], _part(weight, key), inner, (*path, key))


def _below(place: Any, key: Any, path: tuple[Any, ...]) -> Any:
    try:
        return place[key]
    except (KeyError, IndexError, TypeError):
        raise KeyError(
            f"The path: {(*path, key)} in the `loss` argument, can't be found in "
            "either the model's output (`y_pred`) or in the labels (`y_true`)."
        ) from None


def _part(weight: Any, key: Any) -> Any:
    """Return the weight at a key, or the one that is for all."""
    if isinstance(weight, dict):
        return weight.get(key)
    return weight[key] if isinstance(weight, (list, tuple)) else weight
