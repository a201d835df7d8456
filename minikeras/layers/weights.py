"""How a layer makes its weights, and until when it may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from minikeras import backend as K
from minikeras import constraints, initializers, regularizers
from minikeras.layers.tracking import Tracked

__all__ = ["Lock", "Weighted"]

_BY_PLACE = ("shape", "initializer", "dtype")


class Lock:
    """Whether a layer may still be given weights and sublayers: until it is built."""

    def __init__(self) -> None:
        self.locked = False

    def lock(self) -> None:
        """Let all that is added from now on be refused."""
        self.locked = True

    def unlock(self) -> None:
        """Let weights and sublayers be added again."""
        self.locked = False

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let weights and sublayers be added inside."""
        before, self.locked = self.locked, False
        try:
            yield
        finally:
            self.locked = before

    def check(self) -> None:
        """Refuse what is to be added.

        Raises:
            ValueError: if it is locked.
        """
        if self.locked:
            raise ValueError(
                "You cannot add new elements of state (variables or sub-layers) to a "
                "layer that is already built. All state must be created in the "
                "`__init__()` method or in the `build()` method."
            )


class Weighted(Tracked):
    """A layer's weights: made by rules, with penalties that are part of its losses."""

    path: Any
    variable_dtype: Any

    def __init__(self) -> None:
        super().__init__()
        self._tracker = Lock()
        self._call_losses: list[Any] = []

    def __setattr__(self, name: str, value: Any) -> None:
        lock = vars(self).get("_tracker")
        kept = isinstance(value, (K.Variable, Tracked))
        if lock and kept and not any(value is x for x in self._held()):
            lock.check()
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if isinstance(vars(self).get(name), K.Variable):
            self._untrack_variable(vars(self)[name])
        super().__delattr__(name)

    # -- weights -----------------------------------------------------------------------

    def add_weight(
        self,
        *args: Any,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> K.Variable:
        """Return a new variable of this layer.

        Args:
            args: shape, initializer and dtype may be given by place.
            shape: its sizes; a scalar by default.
            initializer: a name, an initializer, or a function of shape and dtype;
                ``"glorot_uniform"`` by default for floats, zeros otherwise.
            dtype: the layer's variable dtype by default.
            trainable: whether it is trained.
            autocast: whether it follows the layer's compute dtype.
            regularizer: a penalty added to the model's loss.
            constraint: a projection applied after each update.
            aggregation: how replicas would be merged.
            overwrite_with_gradient: whether an update replaces it by its gradient.
            name: the last part of its path.

        Raises:
            TypeError: if more than three arguments are given by place.
            ValueError: if one is given twice, the first one is a name, or the layer is
                built already.
        """
        self._tracker.check()
        shape, initializer, dtype = _by_place(args, (shape, initializer, dtype))
        kind = K.standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if "float" in kind else "zeros"
        with self.own_scope():
            weight = K.Variable(
                initializers.get(initializer),
                shape=(shape,) if isinstance(shape, int) else tuple(shape or ()),
                dtype=kind,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        weight.trainable = trainable and self.trainable
        weight.regularizer = regularizers.get(regularizer)
        weight.constraint = constraints.get(constraint)
        weight.overwrite_with_gradient = overwrite_with_gradient
        self._added.append(weight)
        return weight

    add_variable = add_weight

    def own_scope(self) -> AbstractContextManager[Any]:
        """Return the scopes in which it was or is built, without those around."""
        own, around = self.path or self.name, K.current_path()
        scopes = ExitStack()
        if around != own:
            for part in own.removeprefix(f"{around}/").split("/"):
                scopes.enter_context(K.layer_scope(part))
        return scopes

    def _untrack_variable(self, variable: Any) -> None:
        """Let a variable be none of this layer's weights any more."""
        self._added = [v for v in self._added if v is not variable]
        for name, value in list(vars(self).items()):
            if value is variable:
                vars(self)[name] = None
        K.note_change()

    def weight_rule(
        self,
        name: str,
        initializer: Any,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> None:
        """Keep the arguments that say how the weight `name` starts and is held.

        They become the attributes ``kernel_initializer``, ``kernel_regularizer`` and
        ``kernel_constraint`` of a weight called ``"kernel"``.
        """
        setattr(self, f"{name}_initializer", initializers.get(initializer))
        setattr(self, f"{name}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{name}_constraint", constraints.get(constraint))

    def add_ruled_weight(
        self,
        name: str,
        shape: Sequence[int],
        trainable: bool = True,
        autocast: bool = True,
        rule: str | None = None,
    ) -> K.Variable:
        """Return a new variable of this layer, by the rule kept for its name."""
        rule = rule or name
        return self.add_weight(
            name=name,
            shape=shape,
            trainable=trainable,
            autocast=autocast,
            initializer=getattr(self, f"{rule}_initializer"),
            regularizer=getattr(self, f"{rule}_regularizer"),
            constraint=getattr(self, f"{rule}_constraint"),
        )

    # -- losses ------------------------------------------------------------------------

    @property
    def losses(self) -> list[Any]:
        """Penalties of the last call, and of the weights that have a regularizer."""
        ruled = (w for w in self.trainable_weights if w.regularizer is not None)
        return [*self._losses_of_call(), *(w.regularizer(w.value) for w in ruled)]

    def add_loss(self, loss: Any) -> None:
        """Add a scalar, or a list of scalars, to what training minimizes.

        Raises:
            ValueError: if one of them is no tensor.
        """
        losses = K.tree.flatten(loss)
        for x in losses:
            if not hasattr(x, "dtype"):
                raise ValueError(
                    "`add_loss()` can only be called from inside `build()` or "
                    f"`call()`, on a tensor input. Received invalid value: {x}"
                )
        self._call_losses.extend(losses)

    def _losses_of_call(self) -> list[Any]:
        return [loss for layer in self._flatten_layers() for loss in layer._call_losses]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._call_losses.clear()


def _by_place(args: Sequence[Any], named: Sequence[Any]) -> list[Any]:
    """Return shape, initializer and dtype, given by place or by name."""
    if len(args) > len(_BY_PLACE):
        raise TypeError(
            f"add_weight() takes at most {len(_BY_PLACE)} positional arguments but "
            f"{len(args)} were given."
        )
    if args and isinstance(args[0], str):
        raise ValueError(
            "`name` must be passed as a keyword argument. Received: "
            f"add_weight('{args[0]}', ...). Use: add_weight(shape=..., "
            f"name='{args[0]}')."
        )
    for name, value, _ in zip(_BY_PLACE, named, args, strict=False):
        if value is not None:
            raise ValueError(
                f"`{name}` was passed both positionally and as a keyword argument."
            )
    return [*args, *named[len(args) :]]
