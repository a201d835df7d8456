"""The loss of a compiled model: one for each output, and their weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras import losses
from minikeras.metrics import Mean
from minikeras.training.assignment import assigned
from minikeras.training.checks import check_shapes, check_targets
from minikeras.training.kinds import by_kind
from minikeras.training.outputs import Outputs

__all__ = ["CompiledLoss", "Term"]

CROSSENTROPY = {
    "binary": losses.binary_crossentropy,
    "sparse": losses.sparse_categorical_crossentropy,
    "categorical": losses.categorical_crossentropy,
}
BY_KIND = {"crossentropy": CROSSENTROPY, "ce": CROSSENTROPY}


class Term(NamedTuple):
    """One loss's part in their sum.

    Attributes:
        name: of what it is a loss of.
        place: of the output in the list of all; or several, in the nesting in which the
            loss takes targets and predictions.
        loss: a `Loss`.
        weight: factor in the sum; None for 1.
        shape: of the prediction, if it is one.
    """

    name: str
    place: Any
    loss: Any
    weight: Any
    shape: tuple[int | None, ...]

    def of(self, values: Sequence[Any]) -> Any:
        """Return its own of the values of all outputs."""
        return K.tree.map_structure(values.__getitem__, self.place)


class CompiledLoss:
    """The losses given to `compile`, resolved when the outputs are first seen.

    Args:
        loss: a name, a `Loss` or a function, one for each output, or one for all.
        loss_weights: their factors in the sum, in the same form.
        output_names: of the model's outputs, if they have names.

    Raises:
        ValueError: if there is no loss of a given name.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Any = None
    ) -> None:
        for identifier in K.tree.flatten(loss):
            if isinstance(identifier, str) and identifier.lower() not in BY_KIND:
                losses.get(identifier)
        self.loss = loss
        self.loss_weights = loss_weights
        self.output_names: Sequence[str] | None = output_names
        self.terms: list[Term] | None = None
        self.trackers: list[Mean] = []

    def build(self, y_true: Any, y_pred: Any) -> list[Term]:
        """Resolve losses by what targets and predictions look like.

        Raises:
            ValueError: if losses, weights, targets and outputs do not fit together.
        """
        self.outputs = Outputs(y_pred, self.output_names)
        chosen = list(assigned(self.loss, self.loss_weights, self.outputs))
        self._with_loss = sorted(
            {i for choice in chosen for i in K.tree.flatten(choice.place)}
        )
        targets = self.targets(y_true)
        predictions = self.outputs.align(y_pred, "y_pred")
        self.terms = []
        for choice in chosen:
            name = self.outputs.name(choice.path, choice.place)
            term = Term(name, choice.place, choice.loss, choice.weight, ())
            y, p = term.of(targets), term.of(predictions)
            if any(part is None for part in K.tree.flatten(y)):
                raise ValueError(f"output '{name}' has a loss, but no targets (`y`)")
            loss, shape = resolved(choice.loss, y, p), ()
            if not K.tree.is_nested(p):
                check_shapes(name, loss, y, p)
                shape = tuple(p.shape or ())
            if not self.outputs.model_has_names:
                name = self.outputs.name_by_loss(choice.path, choice.place, loss.name)
            self.terms.append(term._replace(name=name, loss=loss, shape=shape))
        if len(self.terms) > 1 and not self.trackers:
            self.trackers = [Mean(name=f"{term.name}_loss") for term in self.terms]
        return self.terms

    def targets(self, y: Any) -> list[Any]:
        """Return the targets in the order of the outputs, None where there are none.

        What has no loss may be left out of a list, and if one is left, the list.
        """
        with_loss, count = self._with_loss, len(self.outputs)
        listed = y if isinstance(y, (list, tuple)) else [y]
        if not isinstance(y, dict) and len(listed) == len(with_loss) != count:
            given = dict(zip(with_loss, listed, strict=True))
            return [given.get(i) for i in range(count)]
        return self.outputs.align(y, "y")

    def check(self, y: Any) -> None:
        """Look at the values of targets given as arrays.

        Raises:
            ValueError: if a loss cannot mean them.
        """
        if self.terms:
            check_targets(self.terms, self.targets(y))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the weighted sum of the outputs' losses, None if no output has one."""
        terms = self.terms or self.build(y_true, y_pred)
        targets, predictions = (
            self.targets(y_true),
            self.outputs.align(y_pred, "y_pred"),
        )
        weights = self.outputs.align(sample_weight, "sample_weight", for_all=True)
        values = []
        for number, term in enumerate(terms):
            p, first = term.of(predictions), K.tree.flatten(term.place)[0]
            value = term.loss(term.of(targets), p, weights[first])
            value = K.cast(value, K.floatx())
            if self.trackers:
                rows = K.shape(predictions[first])[0]
                self.trackers[number].update_state(value, sample_weight=rows)
            values.append(value if term.weight is None else value * term.weight)
        return sum(values[1:], values[0]) if values else None


def resolved(identifier: Any, y_true: Any, y_pred: Any) -> losses.Loss:
    """Return the `Loss` meant by a name, a function or an object."""
    kinds = BY_KIND.get(identifier.lower()) if isinstance(identifier, str) else None
    loss = by_kind(kinds, y_true, y_pred) if kinds else losses.get(identifier)
    if isinstance(loss, losses.Loss):
        return loss
    name = (
        identifier if isinstance(identifier, str) else getattr(loss, "__name__", None)
    )
    return losses.LossFunctionWrapper(loss, name=name)
