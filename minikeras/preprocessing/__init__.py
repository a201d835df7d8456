"""Preparing data, under the old names of ``keras.preprocessing``."""

from minikeras.preprocessing import image, sequence
from minikeras.utils.image_folders import image_dataset_from_directory
from minikeras.utils.text_folders import text_dataset_from_directory
from minikeras.utils.time_windows import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
