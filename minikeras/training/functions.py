"""`train_function` and its like: several steps, as a function of an iterator.

The loops of `fit` run steps by themselves. A model that makes other functions in
`make_train_function`, or is given some, is run by those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from minikeras import backend as K
from minikeras.training.inputs import joined, unpack_x_y_sample_weight
from minikeras.training.objective import Objective

__all__ = ["StepFunction", "WithFunctions"]


_NAMES = {
    kind: (f"make_{kind}_function", f"{kind}_function")
    for kind in ("train", "test", "predict")
}


class StepFunction:
    """Takes as many batches from an iterator as are run at a time, and runs them.

    Args:
        run: a step, a function of a batch.
        size: how many batches.
        merged: makes one result of those of the batches.
    """

    def __init__(
        self, run: Callable[[Any], Any], size: int, merged: Callable[..., Any]
    ) -> None:
        self._run, self._size, self._merged = run, size, merged

    def __call__(self, iterator: Iterator[Any]) -> Any:
        """Return the logs after the last of the batches; in prediction all outputs."""
        return self._merged(
            [self._run(batch) for batch in islice(iterator, self._size)]
        )


class WithFunctions(Objective):
    """A trainer's functions of iterators, for those who call or replace them.

    Attributes:
        train_function: what `make_train_function` made, or is set by the user.
        test_function: the same for evaluation.
        predict_function: the same for prediction.
    """

    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None

    train_on_batch: Callable[..., Any]
    test_on_batch: Callable[..., Any]
    predict_on_batch: Callable[..., Any]
    _step: Callable[[str], Any]
    _logs: Callable[[Any], Any]

    def make_train_function(self, force: bool = False) -> None:
        """Set `train_function`, which takes an iterator of batches and returns logs.

        Args:
            force: whether to make another one if it is there.
        """
        self._make("train", force, lambda results: self._logs(results[-1]))

    def make_test_function(self, force: bool = False) -> None:
        """Set `test_function`; see `make_train_function`."""
        self._make("test", force, lambda results: self._logs(results[-1]))

    def make_predict_function(self, force: bool = False) -> Any:
        """Set `predict_function`, and return it; it returns outputs."""
        return self._make("predict", force, joined)

    def _make(self, kind: str, force: bool, merged: Callable[..., Any]) -> Any:
        name = f"{kind}_function"
        if force or getattr(self, name) is None:
            size = self.steps_per_execution
            function = StepFunction(lambda x: self._step(kind)(x), size, merged)
            setattr(self, name, function)
        return getattr(self, name)

    def _forget_functions(self) -> None:
        self.train_function = self.test_function = self.predict_function = None

    def _own_step(self, kind: str) -> Callable[[Any], Any] | None:
        """Return a step by the user's own function, None if there is none."""
        make, name = _NAMES[kind]
        known = isinstance(getattr(self, name), StepFunction)
        if known and _is_ours(type(self.model), make):
            return None
        getattr(self.model, make)()
        function = getattr(self, name)
        if isinstance(function, StepFunction):
            return None
        if kind == "predict":  # Keras has a tuple here, too
            return lambda batch: function(iter([unpack_x_y_sample_weight(batch)[:1]]))
        return lambda batch: function(iter([batch]))

    # -- without effects ---------------------------------------------------------------

    def stateless_compute_loss(
        self,
        trainable_variables: Any,
        non_trainable_variables: Any,
        metrics_variables: Any,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        """Return the loss for these values of the variables, which stay as they are.

        Args:
            trainable_variables: values for those of the model.
            non_trainable_variables: values for those of the model.
            metrics_variables: values for those of the model.
            x: of `compute_loss`, as what follows.
            y: the targets.
            y_pred: the predictions.
            sample_weight: the weights of samples.
            training: whether to train.

        Returns:
            The loss, and the three lists of values after it has been computed.
        """
        model = self.model
        rest, metrics = model.non_trainable_variables, model.metrics_variables
        given = (trainable_variables, non_trainable_variables, metrics_variables)
        loss, after = K.statelessly(
            lambda: model.compute_loss(x, y, y_pred, sample_weight, training),
            [*model.trainable_variables, *rest, *metrics],
            [value for values in given for value in values],
        )
        first = len(after) - len(metrics)
        last = first - len(rest)
        return loss, (trainable_variables, after[last:first], after[first:])


@cache
def _is_ours(model: type, name: str) -> bool:
    """Whether a model's class has a method as it is in this package."""
    return getattr(model, name).__module__ == __name__
