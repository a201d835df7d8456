"""The residual network of 50 layers, under its old name."""

from __future__ import annotations

from minikeras.applications.resnet import (
    ResNet50,
    decode_predictions,
    preprocess_input,
)

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
