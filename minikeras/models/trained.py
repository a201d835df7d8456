"""What a model is besides a layer: something that can be trained."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.training import Trainer

__all__ = ["Trained"]

P = ParamSpec("P")
R = TypeVar("R")


def _by_trainer(method: Callable[Concatenate[Trainer, P], R]) -> Callable[..., R]:
    """Return a method of the trainer as one of the model."""

    @functools.wraps(method)
    def forwarded(self: Trained, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self._trainer, *args, **kwargs)

    return forwarded


def _of_trainer(name: str, doc: str) -> property:
    """Return an attribute of the trainer as one of the model."""
    return property(
        lambda self: getattr(self._trainer, name),
        lambda self, value: setattr(self._trainer, name, value),
        doc=doc,
    )


class Trained:
    """A layer's other base class, which gives it a `Trainer` and the methods of one.

    Its `__init__` comes after that of the layer.
    """

    _not_owned = Layer._not_owned | {"_trainer"}
    _not_computed_with = frozenset(
        {"history", "stop_training", "stop_evaluating", "stop_predicting"}
    )

    def __init__(self) -> None:
        self._trainer = Trainer(self)

    compile = _by_trainer(Trainer.compile)
    fit = _by_trainer(Trainer.fit)
    evaluate = _by_trainer(Trainer.evaluate)
    predict = _by_trainer(Trainer.predict)
    train_on_batch = _by_trainer(Trainer.train_on_batch)
    test_on_batch = _by_trainer(Trainer.test_on_batch)
    predict_on_batch = _by_trainer(Trainer.predict_on_batch)
    plans = _by_trainer(Trainer.plans)
    graphs = _by_trainer(Trainer.graphs)
    make_train_function = _by_trainer(Trainer.make_train_function)
    make_test_function = _by_trainer(Trainer.make_test_function)
    make_predict_function = _by_trainer(Trainer.make_predict_function)
    stateless_compute_loss = _by_trainer(Trainer.stateless_compute_loss)
    train_step = _by_trainer(Trainer.train_step)
    test_step = _by_trainer(Trainer.test_step)
    predict_step = _by_trainer(Trainer.predict_step)
    compute_loss = _by_trainer(Trainer.compute_loss)
    compute_metrics = _by_trainer(Trainer.compute_metrics)
    get_metrics_result = _by_trainer(Trainer.get_metrics_result)
    reset_metrics = _by_trainer(Trainer.reset_metrics)
    positions = _by_trainer(Trainer.positions)
    resume_at = _by_trainer(Trainer.resume_at)
    get_compile_config = _by_trainer(Trainer.get_compile_config)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the arguments that `get_compile_config` returned."""
        if type(self).compile is not Trained.compile:
            warnings.warn(
                "`compile()` was not called as part of model loading because the "
                "model's `compile()` method is custom. All subclassed Models that have "
                "`compile()` overridden should also override `get_compile_config()` "
                "and `compile_from_config(config)`. Alternatively, you can call "
                "`compile()` manually after loading.",
                stacklevel=2,
            )
            return
        self._trainer.compile_from_config(config)

    @property
    def optimizer(self) -> Any:
        """The optimizer that `compile` was given.

        Raises:
            AttributeError: if there is none.
        """
        found = self._trainer.optimizer
        if found is None and not self._trainer.compiled:
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute 'optimizer': the "
                "model is not compiled"
            )
        return found

    @optimizer.setter
    def optimizer(self, value: Any) -> None:
        self._trainer.optimizer = value

    train_function = _of_trainer("train_function", "Steps of `fit`, if it was made.")
    test_function = _of_trainer("test_function", "Steps of `evaluate`, likewise.")
    predict_function = _of_trainer("predict_function", "Steps of `predict`, likewise.")
    run_eagerly = _of_trainer("run_eagerly", "Whether steps run as Python each time.")
    jit_compile = _of_trainer("jit_compile", "Whether steps are compiled.")
    steps_per_execution = _of_trainer(
        "steps_per_execution", "Batches between two calls of callbacks' hooks."
    )
    loss = _of_trainer("loss", "The loss that `compile` was given.")
    compiled = _of_trainer("compiled", "Whether `compile` has been called.")
    _loss_tracker = _of_trainer("_loss_tracker", "The mean of the loss, in `metrics`.")
    _compile_metrics = _of_trainer("_compiled_metrics", "What `compile` was given.")
    metrics = _of_trainer("metrics", "The metrics that training keeps.")
    metrics_names = _of_trainer("metrics_names", "The names of `metrics`.")
    resumption = _of_trainer("resumption", "Where `fit` goes on, if not at the start.")
    stop_evaluating = _of_trainer("stop_evaluating", "Whether `evaluate` ends now.")
    stop_predicting = _of_trainer("stop_predicting", "Whether `predict` ends now.")
    stop_training = _of_trainer("stop_training", "Whether `fit` ends after this step.")

    @property
    def metrics_variables(self) -> list[K.Variable]:
        """The variables of all metrics."""
        metrics: list[Any] = self.metrics
        return [v for metric in metrics for v in metric.variables]
