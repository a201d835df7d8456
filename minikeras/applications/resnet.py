"""Residual networks, the first version: normalization follows convolution."""

from __future__ import annotations

from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.residual import V1, residual

__all__ = [
    "ResNet50",
    "ResNet101",
    "ResNet152",
    "decode_predictions",
    "preprocess_input",
]

ResNet50 = residual(
    "ResNet50",
    V1,
    (3, 4, 6, 3),
    ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
)
ResNet101 = residual(
    "ResNet101",
    V1,
    (3, 4, 23, 3),
    ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
)
ResNet152 = residual(
    "ResNet152",
    V1,
    (3, 8, 36, 3),
    ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
)
preprocess_input = preprocessor("caffe")
