"""Architectures for images, with weights that Keras's authors trained on ImageNet.

    model = keras.applications.ResNet50(weights=None)

Each family has a module with what prepares images for it and what names its classes.
The modules are imported when they are first used.
"""

from typing import TYPE_CHECKING

from minikeras.backend.objects import publish_late
from minikeras.lazy import attach

if TYPE_CHECKING:
    from minikeras.applications import (
        convnext,
        densenet,
        efficientnet,
        efficientnet_v2,
        imagenet_utils,
        inception_resnet_v2,
        inception_v3,
        mobilenet,
        mobilenet_v2,
        mobilenet_v3,
        nasnet,
        resnet,
        resnet50,
        resnet_v2,
        vgg16,
        vgg19,
        xception,
    )

_HOMES = {
    "convnext": (
        "ConvNeXtBase",
        "ConvNeXtLarge",
        "ConvNeXtSmall",
        "ConvNeXtTiny",
        "ConvNeXtXLarge",
    ),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(
        f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "L", "M", "S")
    ),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}

__getattr__, __dir__ = attach(
    __name__,
    {
        name: f"minikeras.applications.{module}"
        for module, names in _HOMES.items()
        for name in names
    },
)

# Keras offers no such layers, but its files name them by the modules they are in.
_LAYERS = {
    "convnext": ("LayerScale", "StochasticDepth"),
    "inception_resnet_v2": ("CustomScaleLayer",),
}
for _module, _layers in _LAYERS.items():
    publish_late(
        dict.fromkeys(_layers, "minikeras.applications.scaling"),
        f"keras.src.applications.{_module}",
    )
