"""What may happen between batches and between epochs: Keras's callbacks."""

from typing import TYPE_CHECKING

from minikeras.callbacks.base import *
from minikeras.callbacks.history import *
from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.callbacks.backup import *
    from minikeras.callbacks.checkpoints import *
    from minikeras.callbacks.listing import *
    from minikeras.callbacks.monitor import *
    from minikeras.callbacks.progress import *
    from minikeras.callbacks.rates import *
    from minikeras.callbacks.records import *

_HOMES = homes_in(
    __name__,
    {
        "backup": "BackupAndRestore",
        "checkpoints": "ModelCheckpoint",
        "listing": "CallbackList",
        "monitor": "EarlyStopping MonitorCallback ReduceLROnPlateau",
        "progress": "ProgbarLogger",
        "rates": "LearningRateScheduler",
        "records": "CSVLogger TerminateOnNaN",
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
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
