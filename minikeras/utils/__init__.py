"""Small tools for scripts, under the names of ``keras.utils``."""

from typing import TYPE_CHECKING

from minikeras.backend import (
    CustomObjectScope,
    clear_session,
    custom_object_scope,
    deserialize_keras_object,
    disable_interactive_logging,
    enable_interactive_logging,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    is_interactive_logging_enabled,
    is_keras_tensor,
    register_keras_serializable,
    serialize_keras_object,
    set_random_seed,
    standardize_dtype,
)
from minikeras.data.py_dataset import PyDataset
from minikeras.lazy import attach
from minikeras.utils import bounding_boxes, legacy
from minikeras.utils.config import Config
from minikeras.utils.numerical import normalize, to_categorical
from minikeras.utils.sequences import pad_sequences
from minikeras.utils.splitting import split_dataset

if TYPE_CHECKING:
    from minikeras.callbacks.progbar import Progbar
    from minikeras.layers.history import get_source_inputs
    from minikeras.models.feature_space import FeatureSpace
    from minikeras.training.inputs import (
        pack_x_y_sample_weight,
        unpack_x_y_sample_weight,
    )

Sequence = PyDataset  # its name before Keras 3

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# What rests on models or training waits until it is asked for.
__getattr__, __dir__ = attach(
    __name__,
    {
        "FeatureSpace": "minikeras.models.feature_space",
        "Progbar": "minikeras.callbacks.progbar",
        "get_source_inputs": "minikeras.layers.history",
        "pack_x_y_sample_weight": "minikeras.training.inputs",
        "unpack_x_y_sample_weight": "minikeras.training.inputs",
    },
)
