"""Optimizers: how gradients change weights; one formula each, one way to apply it."""

from typing import TYPE_CHECKING, Any

from minikeras import backend as K
from minikeras.lazy import attach, homes_in
from minikeras.optimizers import schedules
from minikeras.optimizers.base import Optimizer

if TYPE_CHECKING:
    from minikeras.optimizers import legacy
    from minikeras.optimizers.adafactor import Adafactor
    from minikeras.optimizers.adam import Adam, Adamax, AdamW, Nadam
    from minikeras.optimizers.adaptive import Adadelta, Adagrad, RMSprop
    from minikeras.optimizers.ftrl import Ftrl
    from minikeras.optimizers.lamb import Lamb
    from minikeras.optimizers.lion import Lion
    from minikeras.optimizers.loss_scale import LossScaleOptimizer
    from minikeras.optimizers.multi import MultiOptimizer, OptimizerMap
    from minikeras.optimizers.muon import Muon
    from minikeras.optimizers.schedule_free import ScheduleFreeAdamW
    from minikeras.optimizers.sgd import SGD

_HOMES = homes_in(
    __name__,
    {
        "adafactor": "Adafactor",
        "adam": "Adam AdamW Adamax Nadam",
        "adaptive": "Adadelta Adagrad RMSprop",
        "ftrl": "Ftrl",
        "lamb": "Lamb",
        "lion": "Lion",
        "loss_scale": "LossScaleOptimizer",
        "multi": "MultiOptimizer OptimizerMap",
        "muon": "Muon",
        "schedule_free": "ScheduleFreeAdamW",
        "sgd": "SGD",
    },
)

__getattr__, __dir__ = attach(__name__, _HOMES)


def _is_optimizer(obj: Any) -> bool:
    return isinstance(obj, Optimizer)


_registry = K.Registry(
    "keras.optimizers",
    "optimizer",
    [Optimizer],
    fold=str.lower,
    accepts=_is_optimizer,
    top=[Optimizer],
    homes=_HOMES,
)
get, serialize, deserialize = _registry.get, _registry.serialize, _registry.deserialize

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]
