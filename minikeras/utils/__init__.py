"""Small tools for scripts, under the names of ``keras.utils``."""

from minikeras.backend import (
    clear_session,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
    set_random_seed,
)
from minikeras.utils.numerical import normalize, to_categorical

__all__ = [
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
