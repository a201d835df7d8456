"""Layers around layers: for each step of a sequence, or in both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.arguments import one_of
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import known_shape

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]

Shape = Sequence[int | None]


class Wrapper(Layer):
    """Base of layers around one layer.

    Args:
        layer: the layer inside.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to {type(self).__name__} isn't a supported "
                "layer type. Please ensure wrapped layer is a valid Keras layer."
            )
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)


class TimeDistributed(Wrapper):
    """A layer applied to each step of sequences, as if the steps were samples.

    Args:
        layer: the layer.

    Shapes:
        inputs: (batch, steps, ...)
        mask: (batch, steps, ...); the layer gets it, step by step, if it takes one
        returns: (batch, steps, ...)

    Raises:
        ValueError: if inputs have less than three axes, or a mask does not fit them.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at "
                f"least 3 dimensions, received: {input_shape}"
            )
        super().build((None, *input_shape[2:]))

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        batch, steps = (K.shape(inputs)[i] for i in range(2))
        given = {"training": training}
        if mask is not None:
            _check_steps(known_shape(mask), known_shape(inputs))
            given["mask"] = _joined(mask)
        y = self.layer(_joined(inputs), **given)
        return K.reshape(y, [batch, steps, *_sizes(y)[1:]])


def _check_steps(mask: Any, inputs: Any) -> None:
    """Demand that a mask has the batch and the steps of the inputs."""
    if len(mask) < 2:
        raise ValueError(
            "The `mask` passed to the `TimeDistributed` layer must be at least 2D "
            f"(e.g., `(batch_size, timesteps)`), but it has {len(mask)} dimension(s) "
            f"with shape {mask}."
        )
    pairs = zip(mask[:2], inputs[:2], strict=True)
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        raise ValueError(
            f"The `mask` passed to the `TimeDistributed` layer has a shape {mask} that "
            f"is incompatible with the input shape {inputs}. The first two dimensions "
            "of the mask (batch size and timesteps) must match those of the input."
        )


def _joined(x: Any) -> Any:
    """Return `x` with its first two axes as one."""
    return K.reshape(x, [-1, *_sizes(x)[2:]])


def _sizes(x: Any) -> list[Any]:
    """Return the sizes of `x`; those not known before the run are tensors."""
    known = known_shape(x)
    return [K.shape(x)[i] if n is None else n for i, n in enumerate(known)]


class Bidirectional(Layer):
    """A recurrent layer and a copy of it that steps from the end to the beginning.

    Args:
        layer: the recurrent layer; it is copied, and not used itself.
        merge_mode: what becomes of the two outputs: "concat", "sum", "ave", "mul", or
            None for both as a pair.
        weights: those of the first layer, then those of the second, if they are given.
        backward_layer: in place of the copy; it must go backwards.

    Shapes:
        sequences: (batch, steps, features)
        returns: (batch, 2 · units) for "concat", (batch, units) otherwise

    Raises:
        ValueError: if there is no such merge mode, or the two layers do not fit.

    Source: Schuster, Paliwal 1997, doi:10.1109/78.650093.
    """

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.merge_mode = one_of(merge_mode, (*_MERGES, None), "merge_mode")
        self.forward_layer = _copy(layer, "forward")
        self.backward_layer = backward_layer or _copy(
            layer, "backward", go_backwards=not layer.go_backwards
        )
        _check_pair(self.forward_layer, self.backward_layer)
        for each in (self.forward_layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self.input_spec = layer.input_spec
        self.supports_masking = True
        self._given_weights = weights

    def build(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, sequences_shape: Shape, initial_state_shape: Any = None
    ) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._given_weights is not None:
            self.set_weights(self._given_weights)

    def call(
        self,
        sequences: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: Any = None,
    ) -> Any:
        starts = _halves(initial_state)
        pair = (self.forward_layer, self.backward_layer)
        made = [
            layer(sequences, initial_state=start, mask=mask, training=training)
            for layer, start in zip(pair, starts, strict=True)
        ]
        (y, *states), (z, *more) = made if self.return_state else zip(made)
        z = K.flip(z, 1) if self.return_sequences else z
        whole = [*self.merged(y, z), *states, *more]
        return tuple(whole) if len(whole) > 1 else whole[0]

    def merged(self, y: Any, z: Any) -> tuple[Any, ...]:
        """Return the outputs of both directions as one, or both."""
        mode = self.merge_mode
        return (y, z) if mode is None else (_MERGES[mode](y, z),)

    def compute_mask(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, inputs: Any, mask: Any = None
    ) -> Any:
        """Return the mask of the steps, if there are any left; states have none."""
        mask = K.tree.flatten(mask)[0] if self.return_sequences else None
        return [mask] if self.merge_mode else [mask, mask]

    def reset_state(self) -> None:
        """Let stateful layers start anew."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def get_config(self) -> dict[str, Any]:
        layers = {
            "layer": K.serialize_keras_object(self.forward_layer),
            "backward_layer": K.serialize_keras_object(self.backward_layer),
        }
        return {**super().get_config(), **layers}


_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "concat": lambda y, z: K.concatenate([y, z]),
    "sum": K.add,
    "ave": lambda y, z: (y + z) / 2.0,
    "mul": K.multiply,
}


def _halves(states: Sequence[Any] | None) -> tuple[Any, Any]:
    half = len(states) // 2 if states else 0
    return (states[:half], states[half:]) if states else (None, None)


def _copy(layer: Any, direction: str, **changes: Any) -> Any:
    """Return a layer with the same arguments, and no weights yet."""
    name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    return type(layer).from_config({**layer.get_config(), "name": name, **changes})


def _check_pair(forward: Any, backward: Any) -> None:
    """Raise an error if two layers do not make a pair.

    Raises:
        ValueError: if both go the same way, or do not return the same.
    """
    if forward.go_backwards == backward.go_backwards:
        raise ValueError(
            "Forward layer and backward layer should have different `go_backwards` "
            f"value. Received: forward_layer.go_backwards {forward.go_backwards}, "
            f"backward_layer.go_backwards={backward.go_backwards}"
        )
    for name in ("stateful", "return_sequences", "return_state"):
        values = getattr(forward, name), getattr(backward, name)
        if len(set(values)) > 1:
            raise ValueError(
                "Forward layer and backward layer are expected to have the same value "
                f'for attribute "{name}", got "{values[0]}" for forward layer and '
                f'"{values[1]}" for backward layer'
            )
