"""Which variables and sublayers belong to a layer: whatever its attributes hold.

Nothing is registered when an attribute is set. The attributes are walked, lists and
dicts included, when somebody asks; so there is no second account that could disagree.
Setting an attribute of a built layer is noted as a change, so that what was found or
compiled before can be kept until then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers.stored import Stored

__all__ = ["Tracked"]


def _leaves(value: Any, around: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield what lists and dicts hold; one that holds itself is entered once."""
    if not isinstance(value, (dict, list, tuple)):
        yield value
    elif not any(value is container for container in around):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part, (*around, value))


class Tracked(Stored):
    """Finds variables and layers among its own attributes."""

    # Attributes that refer to objects which this one does not own.
    _not_owned = frozenset(
        {"_inbound_nodes", "_compiled_call", "_call_losses", "_init_arguments", "_flat"}
    )

    # Attributes that say nothing of what the object computes.
    _not_computed_with: frozenset[str] = frozenset()

    name: str
    _built = False
    _trainable = True

    def __init__(self) -> None:
        self._added: list[K.Variable] = []
        self._flat: tuple[object, list[Any]] = (None, [])

    def __setattr__(self, name: str, value: Any) -> None:
        if self._built and self._computes_with(name, value):
            K.note_change()
        super().__setattr__(name, value)

    def _computes_with(self, name: str, value: Any) -> bool:
        """Whether a change of this attribute may change what a built object does."""
        if name == "built":
            return not value
        if name.startswith("_"):
            return hasattr(type(value), "variables")
        return name not in self._not_computed_with

    def _held(self) -> Iterator[Any]:
        """Return what the attributes hold, those apart which it does not own."""
        for name, value in vars(self).items():
            if name not in self._not_owned:
                yield from _leaves(value)

    def _owned(self, kind: Any) -> list[Any]:
        """Return the objects of a kind among the attributes, each once, in order."""
        return list(dict.fromkeys(x for x in self._held() if isinstance(x, kind)))

    @property
    def _layers(self) -> list[Any]:
        """The sublayers, in the order in which they were attached."""
        return self._owned(Tracked)

    @property
    def _seed_generators(self) -> list[K.SeedGenerator]:
        """The sources of randomness of this layer alone."""
        return self._owned(K.SeedGenerator)

    @property
    def _trainable_variables(self) -> list[K.Variable]:
        """The variables of this layer alone that were born trainable."""
        return [v for v in self._owned(K.Variable) if v.born_trainable]

    @property
    def _non_trainable_variables(self) -> list[K.Variable]:
        """The other variables of this layer alone."""
        return [v for v in self._owned(K.Variable) if not v.born_trainable]

    @property
    def _own_variables(self) -> list[K.Variable]:
        """The variables of this layer alone, those born trainable first."""
        return sorted(self._owned(K.Variable), key=lambda v: not v.born_trainable)

    def _flatten_layers(
        self, include_self: bool = True, recursive: bool = True
    ) -> list[Any]:
        """Return this layer and all below it, or the next ones alone, each once."""
        layers = self._all_layers() if recursive else [self, *self._layers]
        return layers if include_self else layers[1:]

    def _all_layers(self) -> list[Any]:
        """Return this layer and all below it, each once: the same list until a change.

        As long as one of them is not built, they are looked for each time.
        """
        when, layers = self._flat
        if when is K.last_change():
            return layers
        found: dict[Any, None] = {}
        frontier = [self]
        while frontier:
            layer = frontier.pop()
            if layer not in found:
                found[layer] = None
                frontier.extend(reversed(layer._layers))
        layers = list(found)
        if all(layer._built for layer in layers):
            self._flat = K.last_change(), layers
        return layers

    # -- weights ---------------------------------------------------------------------

    @property
    def weights(self) -> list[K.Variable]:
        """Its weights: its own, those born trainable first, then its sublayers'."""
        layers = self._flatten_layers()
        return list(dict.fromkeys(v for x in layers for v in x._own_variables))

    @property
    def variables(self) -> list[K.Variable]:
        """Its weights, and the states of its seed generators; not those of metrics."""
        layers = self._flatten_layers()
        return list(
            dict.fromkeys(v for x in layers for v in [*x._own_variables, *x._states()])
        )

    def _states(self) -> list[K.Variable]:
        """Return the variables of this layer's seed generators."""
        return [generator.state for generator in self._seed_generators]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that this layer and its sublayers hold."""
        held = (x for layer in self._flatten_layers() for x in layer._held())
        return list(dict.fromkeys(x for x in held if hasattr(x, "update_state")))

    @property
    def metrics_variables(self) -> list[K.Variable]:
        """The variables of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained; setting it sets it for all below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._own_variables:
            variable.trainable = bool(value) and variable.born_trainable
        for layer in self._layers:
            layer.trainable = value

    def _is_trained(self, variable: K.Variable) -> bool:
        return self.trainable and variable.trainable

    @property
    def trainable_variables(self) -> list[K.Variable]:
        """The variables that optimizers change."""
        return [v for v in self.variables if self._is_trained(v)]

    @property
    def non_trainable_variables(self) -> list[K.Variable]:
        """The variables that optimizers leave alone."""
        return [v for v in self.variables if not self._is_trained(v)]

    @property
    def trainable_weights(self) -> list[K.Variable]:
        """The weights that optimizers change."""
        return [v for v in self.weights if self._is_trained(v)]

    @property
    def non_trainable_weights(self) -> list[K.Variable]:
        """The weights that optimizers leave alone."""
        return [v for v in self.weights if not self._is_trained(v)]

    def get_weights(self) -> list[Any]:
        """Return the values of `weights` as NumPy arrays."""
        return K.batch_get_value(self.weights)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `weights` from arrays: all of them, or in case of an error none.

        Raises:
            ValueError: if their number or a shape differs.
        """
        own, name = self.weights, self.name
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{name}' with a weight "
                f"list of length {len(weights)}, but the layer was expecting "
                f"{len(own)} weights."
            )
        for variable, value in zip(own, weights, strict=True):
            if K.int_shape(value) != variable.shape:
                raise ValueError(
                    f"Layer {name} weight shape {variable.shape} is not compatible "
                    f"with provided weight shape {K.int_shape(value)}."
                )
        K.batch_set_value(zip(own, weights, strict=True))

    def count_params(self) -> int:
        """Return the number of elements of all weights.

        Raises:
            ValueError: if they have not been made yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the "
                "layer isn't built. You can build it manually via: "
                "`layer.build(input_shape)`."
            )
        return sum(K.count_params(w) for w in self.weights)
