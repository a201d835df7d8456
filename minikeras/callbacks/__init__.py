"""What may happen between batches and between epochs: Keras's callbacks."""

from typing import TYPE_CHECKING

from minikeras.callbacks.base import *
from minikeras.callbacks.history import *
from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.callbacks.backup import *
    from minikeras.callbacks.checkpoints import *
    from minikeras.callbacks.ema import *
    from minikeras.callbacks.listing import *
    from minikeras.callbacks.monitor import *
    from minikeras.callbacks.orbax import *
    from minikeras.callbacks.progress import *
    from minikeras.callbacks.rates import *
    from minikeras.callbacks.recorder import RunRecorder
    from minikeras.callbacks.records import *
    from minikeras.callbacks.remote import *
    from minikeras.callbacks.tensorboard import *
    from minikeras.callbacks.trackers import *

_HOMES = homes_in(
    __name__,
    {
        "backup": "BackupAndRestore",
        "checkpoints": "ModelCheckpoint",
        "ema": "SwapEMAWeights",
        "listing": "CallbackList",
        "monitor": "EarlyStopping MonitorCallback ReduceLROnPlateau",
        "orbax": "OrbaxCheckpoint",
        "progress": "ProgbarLogger",
        "rates": "LearningRateScheduler",
        "recorder": "RunRecorder",
        "records": "CSVLogger TerminateOnNaN",
        "remote": "RemoteMonitor",
        "tensorboard": "TensorBoard",
        "trackers": "MlflowCallback OptunaPruningCallback TrackioCallback "
        "WandbMetricsLogger",
    },
)

__getattr__, __dir__ = attach(__name__, _HOMES)

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "MlflowCallback",
    "ModelCheckpoint",
    "MonitorCallback",
    "OptunaPruningCallback",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "RunRecorder",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "TrackioCallback",
    "WandbMetricsLogger",
]
