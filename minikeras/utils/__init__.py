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
    from minikeras.datasets.downloads import get_file
    from minikeras.layers.history import get_source_inputs
    from minikeras.models.feature_space import FeatureSpace
    from minikeras.training.inputs import (
        pack_x_y_sample_weight,
        unpack_x_y_sample_weight,
    )
    from minikeras.utils.audio_folders import audio_dataset_from_directory
    from minikeras.utils.image_folders import image_dataset_from_directory
    from minikeras.utils.images import array_to_img, img_to_array, load_img, save_img
    from minikeras.utils.text_folders import text_dataset_from_directory
    from minikeras.utils.time_windows import timeseries_dataset_from_array
    from minikeras.visualization.diagrams import model_to_dot, plot_model

Sequence = PyDataset  # its name before Keras 3

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

# What rests on models or training, or reads files, waits until it is asked for.
_HOMES = {
    "minikeras.callbacks.progbar": ("Progbar",),
    "minikeras.datasets.archives": ("extract_archive",),
    "minikeras.datasets.downloads": (
        "get_file",
        "hash_file",
        "resolve_hasher",
        "validate_file",
    ),
    "minikeras.layers.history": ("get_source_inputs",),
    "minikeras.models.feature_space": ("FeatureSpace",),
    "minikeras.training.inputs": (
        "pack_x_y_sample_weight",
        "unpack_x_y_sample_weight",
    ),
    "minikeras.utils.audio_folders": ("audio_dataset_from_directory",),
    "minikeras.utils.image_folders": ("image_dataset_from_directory",),
    "minikeras.utils.images": ("array_to_img", "img_to_array", "load_img", "save_img"),
    "minikeras.utils.text_folders": ("text_dataset_from_directory",),
    "minikeras.utils.time_windows": ("timeseries_dataset_from_array",),
    "minikeras.visualization.diagrams": ("model_to_dot", "plot_model"),
}

__getattr__, __dir__ = attach(
    __name__, {name: home for home, names in _HOMES.items() for name in names}
)
