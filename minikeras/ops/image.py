"""Images, under the names of ``keras.ops.image``."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "affine_transform",
    "crop_images",
    "elastic_transform",
    "extract_patches",
    "extract_patches_3d",
    "gaussian_blur",
    "hsv_to_rgb",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "scale_and_translate",
    "sobel_edges",
    "ssim",
]

affine_transform = eager(K.affine_transform)
elastic_transform = eager(K.elastic_transform)
extract_patches = eager(K.extract_patches)
extract_patches_3d = eager(K.extract_patches_3d)
gaussian_blur = eager(K.gaussian_blur)
hsv_to_rgb = eager(K.hsv_to_rgb)
map_coordinates = eager(K.map_coordinates)
pad_images = eager(K.pad_images)
perspective_transform = eager(K.perspective_transform)
resize = eager(K.resize)
rgb_to_grayscale = eager(K.rgb_to_grayscale)
rgb_to_hsv = eager(K.rgb_to_hsv)
scale_and_translate = eager(K.scale_and_translate)
sobel_edges = eager(K.sobel_edges)
ssim = eager(K.ssim)


@eager
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Return what is left of images when their sides are cut off.

    Of the rows cut above and below and those left, two are given; likewise for columns.

    Raises:
        ValueError: if one alone is given, or three, or one is negative; or if what is
            left of a side of unknown size is not given.
    """
    images = K.as_images(images)
    height, width = (K.known_shape(images)[i] for i in K.spatial_axes(data_format))
    sides = (("height", height, target_height), ("width", width, target_width))
    for side, size, target in sides:
        if size is None and target is None:
            raise ValueError(
                f"When the {side} of the images is unknown, `target_{side}` must be "
                f"specified. Received: images.shape={K.known_shape(images)} and "
                f"target_{side}={target}"
            )
    return K.crop_images(
        images,
        top_cropping,
        left_cropping,
        bottom_cropping,
        right_cropping,
        target_height,
        target_width,
        data_format,
    )
