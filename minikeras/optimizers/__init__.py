"""Optimizers: how gradients change weights; one formula each, one way to apply it."""

from typing import Any

from minikeras import backend as K
from minikeras.optimizers import legacy, schedules
from minikeras.optimizers.adafactor import Adafactor
from minikeras.optimizers.adam import Adam, Adamax, AdamW, Nadam
from minikeras.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from minikeras.optimizers.base import Optimizer
from minikeras.optimizers.ftrl import Ftrl
from minikeras.optimizers.lamb import Lamb
from minikeras.optimizers.lion import Lion
from minikeras.optimizers.loss_scale import LossScaleOptimizer
from minikeras.optimizers.multi import MultiOptimizer, OptimizerMap
from minikeras.optimizers.muon import Muon
from minikeras.optimizers.schedule_free import ScheduleFreeAdamW
from minikeras.optimizers.sgd import SGD


def _is_optimizer(obj: Any) -> bool:
    return isinstance(obj, Optimizer)


_registry = K.Registry(
    "keras.optimizers",
    "optimizer",
    [
        Adadelta,
        Adafactor,
        Adagrad,
        Adam,
        AdamW,
        Adamax,
        Ftrl,
        Lamb,
        Lion,
        LossScaleOptimizer,
        MultiOptimizer,
        Muon,
        Nadam,
        Optimizer,
        OptimizerMap,
        RMSprop,
        SGD,
        ScheduleFreeAdamW,
    ],
    fold=str.lower,
    accepts=_is_optimizer,
    top=[Optimizer],
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
