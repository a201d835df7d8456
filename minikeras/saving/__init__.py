"""Models in files: Keras's own formats, read and written both ways.

``.keras`` is a zip file with a config in JSON and the weights in HDF5; ``.weights.h5``
holds the weights alone; ``.h5`` is the format of Keras 2. Loading a file never runs
code from it, and writing one replaces the old file in one step.
"""

from typing import TYPE_CHECKING

from minikeras.backend import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.saving.api import *
    from minikeras.saving.editor import *
    from minikeras.saving.limits import CorruptFileError, ModelFileError

_HOMES = homes_in(
    __name__,
    {
        "api": "load_model load_weights save_model save_weights",
        "editor": "KerasFileEditor",
        "limits": "CorruptFileError ModelFileError",
    },
)

__getattr__, __dir__ = attach(__name__, _HOMES)

__all__ = [
    "CorruptFileError",
    "CustomObjectScope",
    "KerasFileEditor",
    "ModelFileError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
