"""Models: Sequential, functional and subclassed."""

from typing import TYPE_CHECKING

from minikeras.backend import Registry, publish_late
from minikeras.lazy import attach
from minikeras.models.functional import *
from minikeras.models.functional import Functional
from minikeras.models.model import *
from minikeras.models.model import Model
from minikeras.models.sequential import *
from minikeras.models.sequential import Sequential

if TYPE_CHECKING:
    from minikeras.models.cloning import *
    from minikeras.models.feature_space import FeatureSpace
    from minikeras.saving import load_model, save_model

__getattr__, __dir__ = attach(
    __name__,
    {
        "FeatureSpace": "minikeras.models.feature_space",
        "clone_model": "minikeras.models.cloning",
        "load_model": "minikeras.saving",
        "model_from_json": "minikeras.models.cloning",
        "save_model": "minikeras.saving",
    },
)

# Where Keras's files say that these classes are.
Registry("keras", "model", [Model, Sequential])
Registry("keras.src.models.functional", "model", [Functional])

_FEATURES = "minikeras.models.feature_space"
publish_late({"FeatureSpace": _FEATURES}, "keras.utils")
publish_late(
    dict.fromkeys(("Cross", "Feature", "TFDConcat", "TFDIdentity"), _FEATURES),
    "keras.src.layers.preprocessing.feature_space",
)
publish_late({"ONNXGraph": "minikeras.export.imported"}, "minikeras.export")
