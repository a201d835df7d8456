"""Layers that change images, and what goes with them: sizes, colors, places, parts."""

from minikeras.layers.augmentation.blurring import RandomGaussianBlur, RandomSharpness
from minikeras.layers.augmentation.boxes import MaxNumBoundingBoxes
from minikeras.layers.augmentation.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomColorJitter,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomInvert,
    RandomPosterization,
    RandomSaturation,
    Solarization,
)
from minikeras.layers.augmentation.cropping import (
    CenterCrop,
    RandomCrop,
    RandomFlip,
    Resizing,
)
from minikeras.layers.augmentation.histograms import (
    AutoContrast,
    ContrastLimitedAdaptiveHistogramEqualization,
    Equalization,
)
from minikeras.layers.augmentation.mixing import CutMix, MixUp, RandomErasing
from minikeras.layers.augmentation.policies import AugMix, Pipeline, RandAugment
from minikeras.layers.augmentation.warping import (
    RandomElasticTransform,
    RandomPerspective,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)

__all__ = [
    "AugMix",
    "AutoContrast",
    "CenterCrop",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "CutMix",
    "Equalization",
    "MaxNumBoundingBoxes",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Resizing",
    "Solarization",
]
