"""Preparing data, under the old names of ``keras.preprocessing``."""

from minikeras.preprocessing import sequence

__all__ = ["sequence"]
