"""Distillation: a small model learns from the outputs of a large one.

distiller = keras.distillation.Distiller(teacher, student, LogitsDistillation())
distiller.compile("adam", "sparse_categorical_crossentropy")
distiller.fit(x, y)
student = distiller.student
"""

from typing import TYPE_CHECKING

from minikeras.backend.objects import publish_late
from minikeras.lazy import attach

if TYPE_CHECKING:
    from minikeras.distillation.distiller import Distiller
    from minikeras.distillation.losses import (
        DistillationLoss,
        FeatureDistillation,
        LogitsDistillation,
    )

_HOMES = {
    "DistillationLoss": "minikeras.distillation.losses",
    "Distiller": "minikeras.distillation.distiller",
    "FeatureDistillation": "minikeras.distillation.losses",
    "LogitsDistillation": "minikeras.distillation.losses",
}

publish_late(_HOMES, "keras.distillation")
__getattr__, __dir__ = attach(__name__, _HOMES)
