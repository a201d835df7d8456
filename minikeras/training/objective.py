"""What training makes smaller and what it reports: `compile`, and one step.

The steps are written in K and traced. They call the model's own `compute_loss` and so
on, so that a subclass can override any of them; those here are what it overrides.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from typing import Any

from minikeras import backend as K
from minikeras import optimizers
from minikeras.metrics import Mean, Metric
from minikeras.training.compiled_loss import CompiledLoss
from minikeras.training.compiled_metrics import CompiledMetrics
from minikeras.training.inputs import leaves_of, unpack_x_y_sample_weight

__all__ = ["Logs", "Objective"]

Logs = dict[str, Any]


class Objective:
    """A model's optimizer, loss and metrics, and a step with them.

    Args:
        model: any object that can be called on tensors and has weights.

    Attributes:
        compiled: whether `compile` has been called.
        optimizer: the optimizer.
        loss: what `compile` was given as loss.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.compiled = False
        self.optimizer: Any = None
        self.loss: Any = None
        self.run_eagerly = False
        self.jit_compile = True
        self.steps_per_execution = 1
        self._compile_arguments: Logs = {}
        self._loss_tracker: Mean | None = None
        self._compiled_loss: CompiledLoss | None = None
        self._compiled_metrics: CompiledMetrics | None = None
        self._layers_and_metrics: tuple[list[Any], list[Metric]] = ([], [])

    # -- compile -----------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: a name or an optimizer.
            loss: a name, a loss or a function of targets and predictions; with several
                outputs a list or a dict of them, or one for all.
            loss_weights: factors of the outputs' losses in their sum.
            metrics: names, metrics or functions, not weighted by sample weights; with
                several outputs a list of lists, or a dict of them.
            weighted_metrics: the same, weighted.
            run_eagerly: whether a step's Python code runs for each batch, for
                debugging, rather than once for all.
            steps_per_execution: batches between two calls of callbacks' hooks.
            jit_compile: accepted; steps are compiled unless they run eagerly.
            auto_scale_loss: whether a model in ``"mixed_float16"`` has its optimizer
                wrapped in a `LossScaleOptimizer`.

        Raises:
            ValueError: if a name is not known, or no step is to be run at a time.
        """
        if steps_per_execution < 1:
            raise ValueError(
                f"steps_per_execution is 1 or more; got {steps_per_execution}"
            )
        names = getattr(self.model, "output_names", None)
        scales = auto_scale_loss and self.model.dtype_policy.name == "mixed_float16"
        made = (_scaled if scales else optimizers.get)(optimizer)
        of_loss = None if loss is None else CompiledLoss(loss, loss_weights, names)
        self._compiled_metrics = CompiledMetrics(metrics, weighted_metrics, names)
        self._compiled_loss = of_loss
        self._loss_tracker = Mean(name="loss")
        self.optimizer, self.loss = made, loss
        self.run_eagerly = run_eagerly
        self.jit_compile = _compiles(jit_compile, run_eagerly)
        self.steps_per_execution = steps_per_execution
        self._forget_functions()
        self.compiled = True
        K.note_change()
        self._compile_arguments = {
            "optimizer": made,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def get_compile_config(self) -> Logs | None:
        """Return the arguments of `compile` as a config, None before `compile`."""
        if not self.compiled:
            return None
        return K.serialize_keras_object(self._compile_arguments)

    def compile_from_config(self, config: Logs) -> None:
        """Compile with the arguments that `get_compile_config` returned."""
        self.model.compile(**K.deserialize_keras_object(config))
        if self.model.built:
            self.optimizer.build(self.model.trainable_variables)

    def _forget_functions(self) -> None:
        """Forget what was made of steps, as they are others now."""

    # -- metrics -----------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The mean of the loss, what `compile` was given, and the layers' own."""
        of_outputs = self._compiled_loss.trackers if self._compiled_loss else []
        compiled = [self._loss_tracker, self._compiled_metrics, *of_outputs]
        return [*(compiled if self.compiled else []), *self._metrics_of_layers()]

    def _metrics_of_layers(self) -> list[Metric]:
        """Return the layers' own metrics; they are looked for when layers changed."""
        before, found = self._layers_and_metrics
        layers = self.model._flatten_layers()
        if layers is not before:
            every = (m for layer in layers for m in layer._owned(Metric))
            found = list(dict.fromkeys(every))
            self._layers_and_metrics = layers, found
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`; for those of all values, let them be in a dict."""
        return [metric.name for metric in self.model.metrics]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return names of logs in Keras's order: those that metrics bear come first."""
        given = set(names)
        borne: list[str] = []
        for metric in self.model.metrics:
            several = isinstance(metric, CompiledMetrics)
            borne += [part.name for part in (metric.metrics if several else [metric])]
        first = [name for name in dict.fromkeys(borne) if name in given]
        return first + sorted(given.difference(first))

    def reset_metrics(self) -> None:
        """Forget all batches seen."""
        for metric in self.model.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> Logs:
        """Return the values of all metrics by name."""
        results: Logs = {}
        for metric in self.model.metrics:
            result = metric.result()
            several = isinstance(result, dict)
            results.update(result if several else {metric.name: result})
        return results

    # -- steps: what a subclass may override -------------------------------------------

    def train_step(self, data: Any) -> Logs:
        """Change the weights for the better, given one batch; return logs.

        It is traced: the tensors in `data` stand for any batch.

        Args:
            data: ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self.model(x, training=True)
        loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        variables = self.model.trainable_variables
        if variables:
            self.optimizer.build(variables)
            gradients = K.gradients(self.optimizer.scale_loss(loss), variables)
            self.optimizer.apply(gradients, variables)
        return self.model.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> Logs:
        """Take one batch into account in loss and metrics; return logs."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self.model(x, training=False)
        self._loss_of(x, y, y_pred, sample_weight, training=False)
        return self.model.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the predictions for one batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self.model(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return what training minimizes: the loss, and the layers' penalties.

        Raises:
            ValueError: if there is neither.
        """
        losses = [K.cast(K.sum(loss), K.floatx()) for loss in self.model.losses]
        if self._compiled_loss is not None:
            loss = self._compiled_loss(y, y_pred, sample_weight)
            losses = losses if loss is None else [loss, *losses]
        if not losses:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`."
            )
        return sum(losses[1:], losses[0])

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> Logs:
        """Update the metrics given to `compile`; return the values of all metrics."""
        if self._compiled_metrics is not None:
            self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.model.get_metrics_result()

    def _loss_of(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """Return the model's `compute_loss`, and note it in the mean."""
        compute = self.model.compute_loss
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if "training" in inspect.signature(compute).parameters:
            arguments["training"] = training
        loss = compute(**arguments)
        if K.ndim(loss):
            raise ValueError(
                f"the loss has shape {K.int_shape(loss)}, and a single number is "
                "needed: give it a reduction"
            )
        if self._loss_tracker is not None:
            rows = K.shape(leaves_of(x)[0])[0]
            self._loss_tracker.update_state(loss, sample_weight=rows)
        return loss


def _compiles(jit_compile: bool | str, run_eagerly: bool) -> bool:
    """Return whether steps are compiled, and warn of a contradiction."""
    if run_eagerly and jit_compile is True:
        warnings.warn(
            "If `run_eagerly` is True, then `jit_compile` cannot also be True. "
            "Disabling `jit_compile`.",
            stacklevel=5,
        )
    return bool(jit_compile) and not run_eagerly


def _scaled(optimizer: Any) -> Any:
    """Return an optimizer that finds a scale for the loss by itself."""
    made, scaling = optimizers.get(optimizer), optimizers.LossScaleOptimizer
    if made is None or isinstance(made, scaling):
        return made
    return scaling(made, name="loss_scale_optimizer")
