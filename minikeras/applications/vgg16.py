"""VGG with 16 layers of weights."""

from __future__ import annotations

from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.releases import Release
from minikeras.applications.vgg import vgg

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_RELEASE = Release.of_kernels(
    "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc"
)
VGG16 = vgg("VGG16", (2, 2, 3, 3, 3), __name__, _RELEASE)
preprocess_input = preprocessor("caffe")
