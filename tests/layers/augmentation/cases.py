"""The augmentations to compare with Keras: how each is made."""

from __future__ import annotations

from typing import Any

__all__ = ["CASES", "MINIMAL", "SCALED", "name_of"]

Case = tuple[str, dict[str, Any]]


def case(name: str, **args: Any) -> Case:
    return name, args


SCALED = {"value_range": (0, 1)}

CASES = [
    case("RandomBrightness", factor=0.3),
    case("RandomBrightness", factor=(0.1, 0.3), **SCALED),
    case("RandomContrast", factor=0.4),
    case("RandomContrast", factor=(0.2, 0.9), **SCALED),
    case("RandomColorDegeneration", factor=0.7),
    case("RandomSaturation", factor=0.4),
    case("RandomSaturation", factor=(0.1, 0.9), **SCALED),
    case("RandomHue", factor=0.9),
    case("RandomHue", factor=(0.5, 1.0), **SCALED),
    case("RandomPosterization", factor=(1, 5)),
    case("RandomPosterization", factor=3, **SCALED),
    case("Solarization", addition_factor=0.3, threshold_factor=0.6),
    case("Solarization", addition_factor=0.3, threshold_factor=(0.2, 0.6), **SCALED),
    case("RandomInvert", factor=0.5),
    case("RandomGrayscale", factor=0.5),
    case("RandomSharpness", factor=(0, 1)),
    case("RandomGaussianBlur", factor=0.6, kernel_size=(5, 3), sigma=(0.2, 0.9)),
    case("RandomErasing"),
    case("RandomErasing", factor=0.7, scale=(0.3, 0.5), fill_value=3),
    case("RandomFlip"),
    case("RandomFlip", mode="vertical"),
    case("RandomFlip", mode="horizontal"),
    case("RandomRotation", factor=0.3),
    case("RandomRotation", factor=(0.1, 0.2), fill_mode="constant", fill_value=9.0),
    case("RandomTranslation", height_factor=0.3, width_factor=0.4, fill_mode="wrap"),
    case("RandomTranslation", height_factor=(0.1, 0.3), width_factor=(-0.2, -0.1)),
    case("RandomZoom", height_factor=0.3),
    case("RandomZoom", height_factor=0.3, width_factor=(-0.5, 0.2),
         fill_mode="nearest", interpolation="nearest"),
    case("RandomShear", x_factor=0.4, y_factor=0.3, fill_mode="constant"),
    case("RandomShear", x_factor=(0.2, 0.4)),
    case("RandomPerspective", scale=0.5),
    case("RandomPerspective", factor=0.5, interpolation="nearest", fill_value=7.0),
    case("CutMix"),
    case("MixUp", alpha=0.5),
    case("AutoContrast"),
    case("AutoContrast", **SCALED),
    case("Equalization"),
    case("Equalization", bins=100, **SCALED),
    case("ContrastLimitedAdaptiveHistogramEqualization", tile_grid_size=(2, 3)),
    case("ContrastLimitedAdaptiveHistogramEqualization", clip_limit=0,
         tile_grid_size=(4, 4), **SCALED),
    case("Resizing", height=5, width=12),
    case("Resizing", height=11, width=4, interpolation="bicubic", antialias=True),
    case("Resizing", height=5, width=12, crop_to_aspect_ratio=True),
    case("Resizing", height=5, width=12, pad_to_aspect_ratio=True, fill_value=3.0),
    case("CenterCrop", height=4, width=5),
    case("CenterCrop", height=10, width=5),
    case("RandomCrop", height=4, width=5, seed=1),
    case("RandomCrop", height=10, width=5, seed=1),
]  # fmt: skip

# What cannot be compared by value: they draw while they change, or do nothing.
OTHERS = [
    case("RandomElasticTransform"),
    case("RandomElasticTransform", factor=0.5, scale=(0.2, 0.4), fill_mode="wrap"),
    case("RandomColorJitter", brightness_factor=0.2, contrast_factor=0.3,
         saturation_factor=0.4, hue_factor=0.1),
    case("RandomColorJitter"),
    case("RandAugment"),
    case("RandAugment", num_ops=3, factor=0.8, **SCALED),
    case("AugMix"),
    case("AugMix", num_chains=2, chain_depth=2, all_ops=False, **SCALED),
    case("MaxNumBoundingBoxes", max_number=3),
]  # fmt: skip
CASES_OF_CONFIG = [*CASES, *OTHERS]


def name_of(case: Case) -> str:
    name, args = case
    return f"{name}({','.join(f'{k}={v}' for k, v in args.items())})".replace(" ", "")


MINIMAL = list(
    {name: (name, args) for name, args in reversed(CASES_OF_CONFIG)}.values()
)
