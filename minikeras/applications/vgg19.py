"""VGG with 19 layers of weights."""

from __future__ import annotations

from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.releases import Release
from minikeras.applications.vgg import vgg

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_RELEASE = Release.of_kernels(
    "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6"
)
VGG19 = vgg("VGG19", (2, 2, 4, 4, 4), __name__, _RELEASE)
preprocess_input = preprocessor("caffe")
