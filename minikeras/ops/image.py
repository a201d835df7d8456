"""Images, under the names of ``keras.ops.image``."""

from __future__ import annotations

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
crop_images = eager(K.crop_images)
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
