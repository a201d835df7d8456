"""Models in files: Keras's own formats, read and written both ways.

``.keras`` is a zip file with a config in JSON and the weights in HDF5; ``.weights.h5``
holds the weights alone; ``.h5`` is the format of Keras 2. Loading a file never runs
code from it, and writing one replaces the old file in one step.
"""

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
from minikeras.saving.api import *
from minikeras.saving.limits import CorruptFileError, ModelFileError
