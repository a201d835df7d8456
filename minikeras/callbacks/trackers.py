"""Values of training to services that keep records of runs; each wants its library.

What they have in common is when they record, and under which step.
"""

from __future__ import annotations

import warnings
from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.rates import learning_rates
from minikeras.utils.extras import required

__all__ = [
    "MlflowCallback",
    "OptunaPruningCallback",
    "TrackioCallback",
    "WandbMetricsLogger",
]


class Tracker(Callback):
    """Base of callbacks that record values after each epoch, or in between.

    Args:
        log_freq: ``"epoch"``, or after how many batches to record as well; ``"batch"``
            for 1.

    Raises:
        ValueError: if `log_freq` is something else.
        ImportError: if the library is not installed.
    """

    library = ""

    def __init__(self, log_freq: int | str = "epoch") -> None:
        often = 1 if log_freq == "batch" else log_freq
        if often != "epoch" and (not isinstance(often, int) or often < 1):
            raise ValueError(
                "log_freq is 'epoch', 'batch' or a number of batches above 0; got "
                f"{log_freq!r}"
            )
        self.log_freq = log_freq
        self.module = required(self.library, self.library, type(self).__name__)
        self._every = often if isinstance(often, int) else 0
        self._batches = 0

    def record(self, values: Logs, step: int, unit: str) -> None:
        """Record values.

        Args:
            values: of loss and metrics, and the learning rate, by name.
            step: the number of the epoch, or of batches so far.
            unit: which of the two: ``"epoch"`` or ``"batch"``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `record`")

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Count batches."""
        self._batches += 1

    def due(self, batch: int) -> bool:
        """Whether to record after this batch."""
        return bool(self._every) and self._batches % self._every == 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Record the values so far."""
        if self.due(batch):
            self.record(self._values(logs), self._batches, "batch")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Record the epoch's values."""
        self.record(self._values(logs), epoch, "epoch")

    def _values(self, logs: Logs | None) -> Logs:
        """Return what of the logs is a single number, with the learning rate."""
        numbers = {k: v for k, v in (logs or {}).items() if not getattr(v, "ndim", 0)}
        return {k: float(v) for k, v in numbers.items()} | learning_rates(self.model)


class MlflowCallback(Tracker):
    """Record the run in MLflow: values, and the arguments of training.

    The run is the active one, or else a new one.

    Args:
        log_freq: ``"epoch"``, or after how many batches to record as well; ``"batch"``
            for 1.

    Raises:
        ImportError: if ``mlflow`` is not installed.
    """

    library = "mlflow"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Record what is trained, and how."""
        optimizer = self.model.optimizer
        params = {**(self.params or {}), "optimizer": type(optimizer).__name__}
        for name, value in optimizer.get_config().items():
            if isinstance(value, (bool, int, float, str)):
                params[f"optimizer_{name}"] = value
        known = {k: v for k, v in params.items() if v is not None and k != "verbose"}
        self.module.log_params({**known, "model": self.model.name})

    def record(self, values: Logs, step: int, unit: str) -> None:
        """Record values."""
        prefix = "" if unit == "epoch" else "batch_"
        self.module.log_metrics(
            {f"{prefix}{name}": value for name, value in values.items()}, step=step
        )


class WandbMetricsLogger(Tracker):
    """Record values in Weights & Biases, in the run that ``wandb.init`` began.

    They are named as by its own callback for Keras: ``epoch/loss``, ``batch/loss``.

    Args:
        log_freq: ``"epoch"``, or after how many batches to record as well; ``"batch"``
            for 1.
        initial_global_step: the number of batches before this training.

    Raises:
        ImportError: if ``wandb`` is not installed.
        RuntimeError: if no run has begun.
    """

    library = "wandb"

    def __init__(
        self, log_freq: int | str = "epoch", initial_global_step: int = 0
    ) -> None:
        super().__init__(log_freq)
        if self.module.run is None:
            raise RuntimeError(
                "You must call `wandb.init()` before WandbMetricsLogger()"
            )
        self._batches = initial_global_step
        for unit, number in (("epoch", "epoch"), ("batch", "batch_step")):
            self.module.define_metric(f"{unit}/{number}")
            self.module.define_metric(f"{unit}/*", step_metric=f"{unit}/{number}")

    def record(self, values: Logs, step: int, unit: str) -> None:
        """Record values."""
        number = "epoch" if unit == "epoch" else "batch_step"
        named = {f"{unit}/{name}": value for name, value in values.items()}
        self.module.log({**named, f"{unit}/{number}": step})


class TrackioCallback(Tracker):
    """Record values with Trackio, in the run that ``trackio.init`` began.

    Args:
        log_freq: ``"epoch"``, or after how many batches to record as well; ``"batch"``
            for 1.

    Raises:
        ImportError: if ``trackio`` is not installed.
    """

    library = "trackio"

    def record(self, values: Logs, step: int, unit: str) -> None:
        """Record values."""
        named = {f"{unit}/{name}": value for name, value in values.items()}
        self.module.log({**named, unit: step})


class OptunaPruningCallback(Callback):
    """End training that is not worth going on with, as a trial of Optuna's says.

    Args:
        trial: the ``optuna.Trial`` that this training is for.
        monitor: name of the value in the logs that is reported.
        interval: after how many epochs to ask.

    Raises:
        ImportError: if ``optuna`` is not installed.
        TrialPruned: in training, Optuna's own, if the trial is to be pruned.
    """

    def __init__(self, trial: Any, monitor: str, interval: int = 1) -> None:
        self.trial = trial
        self.monitor = monitor
        self.interval = interval
        self.module = required("optuna", "optuna", type(self).__name__)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Report the value; end training if the trial says so."""
        if (epoch + 1) % self.interval:
            return
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"The metric '{self.monitor}' is not in the logs for pruning. "
                f"Available metrics are: {','.join(logs or ())}",
                stacklevel=2,
            )
            return
        self.trial.report(float(value), step=epoch)
        if self.trial.should_prune():
            raise self.module.TrialPruned(f"Trial was pruned at epoch {epoch}.")
