"""Sequences, under the old name of ``keras.preprocessing.sequence``."""

from minikeras.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
