"""`Trainer`: the loops of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import count, islice
from operator import itemgetter
from typing import Any

from minikeras import backend as K
from minikeras.callbacks import CallbackList, History
from minikeras.callbacks.records import TerminateOnNaN
from minikeras.data import Passes, Position
from minikeras.distribution.current import require_one_device
from minikeras.training.checks import check_inputs
from minikeras.training.functions import WithFunctions
from minikeras.training.inputs import (
    Batches,
    batch_of,
    batches,
    filled,
    held_out_batches,
    is_one_batch,
    joined,
    split,
    unpack_x_y_sample_weight,
)
from minikeras.training.objective import Logs
from minikeras.training.resumption import Resumption

__all__ = ["Trainer"]

Run = Callable[[Any], Any]

# What ends the loop over batches of each kind.
STOPS = {
    "train": "stop_training",
    "test": "stop_evaluating",
    "predict": "stop_predicting",
}


class Trainer(WithFunctions):
    """Trains, evaluates and applies the model that has it.

    Args:
        model: any object that can be called on tensors and has weights.

    Attributes:
        stop_training: set it to end `fit` after the current batch.
        stop_evaluating: the same for `evaluate`.
        stop_predicting: the same for `predict`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.resumption: Resumption | None = None
        self._passes: dict[str, Passes] = {}
        self._steps: dict[str, K.TracedFunction] = {}
        self._traced_for: Any = None
        self._looked_at: object = None
        self._bears_nan = False  # whether NaN in the data is to be found by a callback

    def __getstate__(self) -> dict[str, Any]:
        # What is traced is for these very variables, and is soon traced anew.
        made = (f"{kind}_function" for kind in STOPS)
        anew = {**dict.fromkeys(made), "_traced_for": None, "_looked_at": None}
        return {**vars(self), "_steps": {}, **anew}

    def resume_at(
        self,
        epoch: int,
        batch: int = 0,
        restore: Callable[[], Any] | None = None,
        positions: Mapping[str, Position] | None = None,
    ) -> None:
        """Let the training that begins go on from an earlier one.

        For a callback's `on_train_begin`.

        Args:
            epoch: with which to go on.
            batch: how many batches of it to pass over.
            restore: is called after these, before the first batch to train on.
            positions: what `positions` returned there.
        """
        self.resumption = Resumption(epoch, batch, restore, positions)

    def positions(self) -> dict[str, Position]:
        """Return how far training has come in its data, and in those held out."""
        return {kind: passes.position for kind, passes in self._passes.items()}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> History:
        """Train for a number of epochs.

        Everything that can be found wrong before the first step is; and an error or an
        interrupt in a step leaves the weights as the step before made them.

        Args:
            x: inputs: an array, a list or dict of them; or an iterable of batches
                ``(x, y)`` or ``(x, y, sample_weight)``, and then neither `y` nor
                `sample_weight` is given.
            y: targets, in the form of the outputs.
            batch_size: rows per step; 32 by default.
            epochs: the number of the epoch after which to end.
            verbose: 0 silent, 1 a bar, 2 a line per epoch; ``"auto"``: 1 on a terminal
                or in a notebook, else 2.
            callbacks: one, or a list of them.
            validation_split: share of the rows, the last ones, not to train on but to
                evaluate after each epoch.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` to evaluate, or an
                iterable of batches.
            shuffle: whether to take the rows in a new order each epoch, drawn from the
                global seed; ``"batch"`` keeps neighbors together.
            class_weight: weight of the samples of each class in the loss.
            sample_weight: weight of each sample in the loss.
            initial_epoch: the number of the epoch with which to begin, from 0.
            steps_per_epoch: batches per epoch; by default until the data ends.
            validation_steps: the same for validation.
            validation_batch_size: by default `batch_size`.
            validation_freq: evaluate after every so many epochs, or after those listed.

        Raises:
            ValueError: if data, model and loss do not fit together.
        """
        self._require_compiled("fit")
        given = (x, y, sample_weight)
        if validation_split and validation_data is None:
            given, validation_data = split(given, validation_split)
        how = {"batch_size": batch_size, "steps": steps_per_epoch, "shuffle": shuffle}
        data = batches(*given, class_weight=class_weight, **how)
        size = validation_batch_size or batch_size
        held_out = held_out_batches(validation_data, size, validation_steps)
        most = K.max_epochs()
        if most and most < epochs:
            warnings.warn(f"Limiting epochs to {most}", stacklevel=3)
            epochs = most
        hooks = self._hooks(callbacks, verbose, epochs, data.steps, in_fit=True)
        left = range(initial_epoch, epochs)
        with hooks:
            self._train_epochs(left, data, held_out, validation_freq, hooks)
        return self.model.history

    def _train_epochs(
        self,
        epochs: Iterable[int],
        data: Batches,
        held_out: Batches | None,
        validation_freq: int | list[int],
        hooks: CallbackList,
    ) -> None:
        """Check everything; then train for these epochs."""
        self._bears_nan = hooks.find(TerminateOnNaN) is not None
        run = self._checked("train", data)
        if held_out is not None:
            self._checked("test", held_out)
        self.stop_training = False
        self.resumption = None
        self._passes = {"train": data.passes}
        if held_out is not None:
            self._passes["test"] = held_out.passes
        logs: Logs = {}
        hooks.on_train_begin()
        if self.resumption is not None:
            self.resumption.enter(self._passes)
        for epoch in epochs:
            if self.resumption is not None and epoch < self.resumption.epoch:
                continue
            due = held_out if is_due(epoch, validation_freq) else None
            logs = self._train_epoch(epoch, run, data, due, hooks) or logs
            if self.stop_training:
                break
        if self.optimizer.built:
            self.optimizer.finalize_variable_values(self.model.trainable_variables)
        hooks.on_train_end(logs)

    def _train_epoch(
        self,
        epoch: int,
        run: Run,
        data: Batches,
        held_out: Batches | None,
        hooks: CallbackList,
    ) -> Logs | None:
        """Train for one epoch, and validate; return the logs, None without any data."""
        self.model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        resumed = self.resumption
        here = resumed if resumed is not None and resumed.epoch == epoch else None
        last = deque(self._each("train", run, data, hooks, here), maxlen=1)
        if not last and not (here and here.batch):
            self.stop_training = True
            warnings.warn(
                f"Your input ran out of data before epoch {epoch + 1}: training ends "
                "here. Pass an iterable that can start anew, or `steps_per_epoch`.",
                stacklevel=4,
            )
            return None
        logs = self._logs(last[0] if last else None)
        if held_out is not None:
            found = self._evaluated(held_out, hooks)
            logs |= {f"val_{name}": value for name, value in found.items()}
            logs = dict(sorted(logs.items()))
        hooks.on_epoch_end(epoch, logs)
        return logs

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics on data: a number, a list, or a dict by name.

        The arguments are those of `fit`; the list begins with the loss.

        Raises:
            ValueError: if data, model and loss do not fit together.
        """
        self._require_compiled("evaluate")
        data = batches(x, y, sample_weight, batch_size=batch_size, steps=steps)
        self._checked("test", data)
        with self._hooks(callbacks, verbose, 1, data.steps) as hooks:
            return self._returned(self._evaluated(data, hooks), return_dict)

    def _evaluated(self, data: Batches, hooks: CallbackList) -> Logs:
        """Return loss and metrics on data that have been checked."""
        run = self._run("test", data)
        data.passes.restart()
        self.model.reset_metrics()
        self.stop_evaluating = False
        hooks.on_test_begin()
        last = deque(self._each("test", run, data, hooks), maxlen=1)
        logs = self._logs(last[0] if last else None)
        hooks.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the model's outputs for inputs, as arrays in the outputs' nesting.

        The arguments are those of `fit`. The model need not be compiled.

        Raises:
            ValueError: if the inputs do not fit the model.
        """
        if not (verbose or steps or callbacks) and is_one_batch(x, batch_size):
            return self.predict_on_batch(x)
        data = batches(x, batch_size=batch_size, steps=steps)
        run = self._run("predict", data)
        with self._hooks(callbacks, verbose, 1, data.steps) as hooks:
            self.stop_predicting = False
            hooks.on_predict_begin()
            parts = list(self._each("predict", run, data, hooks))
            hooks.on_predict_end()
        return joined(parts)

    # -- one batch ---------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch; return its loss and metrics, as `evaluate` does."""
        self._require_compiled("train_on_batch")
        data = batch_of(x, y, sample_weight, class_weight)
        return self._on_batch("train", data, return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return loss and metrics on one batch, as `evaluate` does."""
        self._require_compiled("test_on_batch")
        return self._on_batch("test", batch_of(x, y, sample_weight), return_dict)

    def _on_batch(self, kind: str, data: Any, return_dict: bool) -> Any:
        own = self._own_step(kind)
        if own is not None:
            return self._returned(self._logs(own(data)), return_dict)
        run, arrays = self._step(kind).traced_for(data)
        self._look_at(kind, data)
        self.model.reset_metrics()
        return self._returned(self._logs(run(arrays)), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's outputs for one batch of inputs."""
        return (self._own_step("predict") or self._step("predict"))(batch_of(x))

    # -- steps -------------------------------------------------------------------------

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                "You must call `compile()` before using the model. "
                f"`{method}()` needs an optimizer and a loss, and "
                f"'{self.model.name}' has none yet."
            )

    def _step(self, kind: str) -> K.TracedFunction:
        """Return a step as a function of a batch, traced once for each form of it."""
        if self._looked_at is not K.last_change():
            self._looked_at = K.last_change()
            if self._traced_for != self._state():
                self._steps.clear()
        step = self._steps.get(kind)
        if step is None or self.run_eagerly:
            require_one_device()
            of_kind = {
                "train": self._train,
                "test": self._test,
                "predict": self.model.predict_step,
                "results": self.model.get_metrics_result,
            }
            step = K.TracedFunction(partial(self._traced, of_kind[kind]), any_rows=True)
            self._steps[kind] = step
        return step

    def plans(self, kind: str = "train") -> list[Any]:
        """Return the plans by which steps run, one for each size of batch met lately.

        Args:
            kind: ``"train"``, ``"test"`` or ``"predict"``.

        Example:
            >>> model.plans("train")[0].explain(repeats=10)  # doctest: +SKIP
        """
        step = self._steps.get(kind)
        return step.plans if step is not None else []

    def graphs(self, kind: str = "train") -> list[Any]:
        """Return the engine's graphs of which the plans of steps are made.

        Args:
            kind: ``"train"``, ``"test"`` or ``"predict"``.
        """
        step = self._steps.get(kind)
        return step.graphs if step is not None else []

    def _state(self) -> Any:
        """Return what a trace depends on: if it changes, steps are traced anew."""
        layers = self.model._flatten_layers()
        trained = [v.handle for v in self.model.trainable_variables]
        learned = [getattr(layer, "learned", 0) for layer in layers]
        given = self.optimizer.learning_rates() if self.optimizer else []
        rates = [getattr(rate, "handle", rate) for rate in given]
        return layers, learned, trained, self.optimizer, rates, self._compiled_metrics

    def _traced(self, function: Callable[..., Any], *data: Any) -> Any:
        """Return what a step returns, apart from the penalties of other calls."""
        self.model._clear_losses()
        try:
            return function(*data)
        finally:
            self.model._clear_losses()
            self._traced_for = self._state()

    def _train(self, data: Any) -> Logs | None:
        return self._not_kept(self.model.train_step(data))

    def _test(self, data: Any) -> Logs | None:
        return self._not_kept(self.model.test_step(data))

    def _not_kept(self, logs: Any) -> Logs | None:
        """Return a step's logs, None if the variables of metrics hold them.

        Those are read when somebody wants to see them, not in each step.
        """
        if not isinstance(logs, dict):
            raise ValueError(f"a step returns a dict of logs; got {logs!r}")
        flat: Logs = {}
        for name, value in logs.items():
            flat.update(value if isinstance(value, dict) else {name: value})
        trace = K.current_trace()
        changed = set(trace.handles if trace else ())
        states = [[v.handle for v in m.variables] for m in self.model.metrics]
        kept = all(changed.intersection(state) for state in states if state)
        same = kept and set(flat) == set(self.model.get_metrics_result())
        return None if same else flat

    # -- inside the loops --------------------------------------------------------------

    def _run(self, kind: str, data: Batches) -> Run:
        """Return a step, traced for such data, as a function of what they yield."""
        own = self._own_step(kind)
        if own is not None:
            return own
        run, _ = self._step(kind).traced_for(data.sample)
        if data.complete and not self.run_eagerly:
            return run

        def checked(batch: Any) -> Any:
            if data.complete:
                batch = filled(data.first, batch)
            elif kind != "predict":
                self._look_at(kind, batch)
            return self._step(kind)(batch)

        return checked

    def _checked(self, kind: str, data: Batches) -> Run:
        """Trace a step and look at the data; return the step.

        Raises:
            ValueError: if data, model and loss do not fit together.
        """
        run = self._run(kind, data)
        self._look_at(kind, data.first)
        return run

    def _look_at(self, kind: str, data: Any) -> None:
        """Look at the values of a batch, or of all the data.

        Raises:
            ValueError: if the loss cannot mean them.
        """
        if self._bears_nan:
            return
        x, y, _ = unpack_x_y_sample_weight(data)
        check_inputs(x, self._predicted, fatal=kind == "train")
        if self._compiled_loss is not None:
            self._compiled_loss.check(y)

    def _predicted(self, x: Any) -> Any:
        return self._step("predict")(x)

    def _each(
        self,
        kind: str,
        run: Run,
        data: Batches,
        hooks: CallbackList,
        resumed: Resumption | None = None,
    ) -> Iterator[Any]:
        """Run a step on each batch, between hooks; yield what it returns."""
        begin, end = hooks.of_batches(kind)
        merged = joined if kind == "predict" else itemgetter(-1)
        as_logs = as_outputs if kind == "predict" else self._logs
        size = self.steps_per_execution
        batches = iter(data.passes)
        first = resumed.begin() if resumed else 0
        for number in count(first, size):
            group = list(islice(batches, size))
            if not group:
                return
            if begin:
                begin(number)
            outputs = merged([run(batch) for batch in group])
            if end:
                end(number + size - 1, partial(as_logs, outputs))
            yield outputs
            if getattr(self, STOPS[kind]):
                return

    def _logs(self, outputs: Logs | None) -> Logs:
        """Return the values of loss and metrics by name, in Keras's order: sorted.

        They are what a step returned, if it did return anything.
        """
        if outputs is None:
            outputs = dict(self._step("results")())
        return {name: as_number(outputs[name]) for name in sorted(outputs)}

    def _returned(self, logs: Logs, return_dict: bool) -> Any:
        """Return logs as a dict, as a list, or if there is just one, alone."""
        if return_dict:
            return logs
        values = [logs[name] for name in self.in_order(logs)]
        return values[0] if len(values) == 1 else values

    def _hooks(
        self,
        callbacks: Any,
        verbose: int | str,
        epochs: int,
        steps: int | None,
        in_fit: bool = False,
    ) -> CallbackList:
        """Return the callbacks as one, with those that are always there."""
        given = isinstance(callbacks, CallbackList)
        hooks = (
            callbacks
            if given
            else CallbackList(
                callbacks, add_history=in_fit, add_progbar=verbose not in (0, False)
            )
        )
        hooks.set_model(self.model)
        hooks.set_params({"verbose": verbose, "epochs": epochs, "steps": steps})
        return hooks


def as_outputs(outputs: Any) -> Logs:
    """Return predictions as logs for callbacks."""
    return {"outputs": outputs}


def as_number(value: Any) -> Any:
    """Return a scalar as a Python float, all else as it is."""
    return float(value) if getattr(value, "ndim", 1) == 0 else value


def is_due(epoch: int, frequency: int | list[int]) -> bool:
    """Whether to validate after this epoch, which counts from 0.

    Raises:
        ValueError: if `frequency` is neither an integer nor a list of them.
    """
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    raise ValueError(
        "Expected `validation_freq` to be a list or int. Received: "
        f"validation_freq={frequency!r}"
    )
