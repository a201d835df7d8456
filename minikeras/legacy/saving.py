"""Configs in the form of Keras 2, under the names of ``keras.legacy.saving``."""

from minikeras.utils.legacy import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
