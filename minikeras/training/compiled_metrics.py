"""The metrics of a compiled model, output by output, named as in Keras's logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras import metrics
from minikeras.training.kinds import by_kind
from minikeras.training.outputs import Outputs

__all__ = ["CompiledMetrics"]

ACCURACY = {
    "binary": metrics.BinaryAccuracy,
    "sparse": metrics.SparseCategoricalAccuracy,
    "categorical": metrics.CategoricalAccuracy,
}
CROSSENTROPY = {
    "binary": metrics.BinaryCrossentropy,
    "sparse": metrics.SparseCategoricalCrossentropy,
    "categorical": metrics.CategoricalCrossentropy,
}
BY_KIND = {
    "accuracy": ACCURACY,
    "acc": ACCURACY,
    "crossentropy": CROSSENTROPY,
    "ce": CROSSENTROPY,
}


class Entry(NamedTuple):
    """One metric of one output.

    Attributes:
        key: its name in the logs.
        place: of the output in the list of all.
        metric: a `Metric`.
        weighted: whether sample weights count.
    """

    key: str
    place: int
    metric: metrics.Metric
    weighted: bool


class CompiledMetrics:
    """The metrics given to `compile`, resolved when the outputs are first seen.

    It is itself used as a metric, whose result is a dict.

    Args:
        unweighted: names, metrics or functions: a list for a single output, else a list
            of lists or a dict of them.
        weighted: the same for metrics that take sample weights into account.
        output_names: of the model's outputs, if they have names.

    Raises:
        ValueError: if there is no metric of a given name.
    """

    name = "compile_metrics"

    def __init__(
        self, unweighted: Any, weighted: Any = None, output_names: Any = None
    ) -> None:
        self.given = {"metrics": unweighted, "weighted_metrics": weighted}
        for argument, value in self.given.items():
            if value is not None and not isinstance(value, (list, tuple, dict)):
                raise ValueError(
                    f"Expected `{argument}` argument to be a list, tuple, or dict. "
                    f"Received instead: {argument}={value} of type {type(value)}"
                )
            for identifier in K.tree.flatten(value or []):
                if isinstance(identifier, str) and identifier.lower() not in BY_KIND:
                    metrics.get(identifier)
        self.output_names: Sequence[str] | None = output_names
        self.entries: list[Entry] | None = None

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Resolve metrics by what targets and predictions look like.

        Raises:
            ValueError: if metrics, targets and outputs do not fit together.
        """
        self.outputs = Outputs(y_pred, self.output_names)
        self.entries = []
        if not any(self.given.values()):
            return
        targets = self.outputs.align(y_true, "y")
        predictions = self.outputs.align(y_pred, "y_pred")
        entries: list[Entry] = []
        for argument, given in self.given.items():
            for i, identifiers in enumerate(self._per_output(given, argument)):
                for identifier in K.tree.flatten(identifiers or []):
                    name = self.outputs.names[i]
                    if targets[i] is None:
                        raise ValueError(f"output '{name}' has metrics, but no targets")
                    metric = resolved(identifier, targets[i], predictions[i])
                    weighted = argument == "weighted_metrics"
                    key = self._key(metric.name, i, weighted, entries)
                    entries.append(Entry(key, i, metric, weighted))
        self.entries = entries

    def _per_output(self, given: Any, argument: str) -> list[Any]:
        if len(self.outputs) == 1 and not isinstance(given, dict):
            return [given]
        return self.outputs.align(given, argument)

    def _key(self, name: str, place: int, weighted: bool, before: list[Entry]) -> str:
        """Return a metric's name in the logs, which no other has."""
        told = len(self.outputs) > 1 and self.outputs.model_has_names
        prefix = f"{self.outputs.names[place]}_" if told else ""
        taken = {entry.key for entry in before}
        key = f"{prefix}{name}"
        if key in taken and weighted:
            key = f"{prefix}weighted_{name}"
        count, first = 0, key
        while key in taken:
            count += 1
            key = f"{first}_{count}"
        return key

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one more batch into account."""
        if self.entries is None:
            self.build(y_true, y_pred)
        if not self.entries:
            return
        targets = self.outputs.align(y_true, "y")
        predictions = self.outputs.align(y_pred, "y_pred")
        weights = self.outputs.align(sample_weight, "sample_weight", for_all=True)
        for _, i, metric, weighted in self.entries:
            if weighted:
                metric.update_state(targets[i], predictions[i], weights[i])
            else:
                metric.update_state(targets[i], predictions[i])

    def reset_state(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Return the metrics' values by their names in the logs."""
        return {entry.key: entry.metric.result() for entry in self.entries or ()}

    @property
    def metrics(self) -> list[metrics.Metric]:
        """The metrics, in the order of the logs; empty before the first batch."""
        return [entry.metric for entry in self.entries or ()]

    @property
    def variables(self) -> list[K.Variable]:
        """The variables of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]


def resolved(identifier: Any, y_true: Any, y_pred: Any) -> metrics.Metric:
    """Return the `Metric` meant by a name, a function or an object."""
    if not isinstance(identifier, str):
        metric = metrics.get(identifier)
        if metric is None:
            raise ValueError("Expected metric, received `None`")
        if isinstance(metric, metrics.Metric):
            return metric
        name = getattr(metric, "name", None) or getattr(metric, "__name__", None)
        name = name or K.to_snake_case(type(metric).__name__)
        return metrics.MeanMetricWrapper(metric, name=name)
    kinds = BY_KIND.get(identifier.lower())
    if kinds:
        return by_kind(kinds, y_true, y_pred)(name=identifier)
    metric = metrics.get(identifier)
    if not isinstance(metric, metrics.Metric):
        return metrics.MeanMetricWrapper(metric, name=identifier)
    metric.name = identifier
    return metric
