"""Global settings, under the names of ``keras.config``."""

from minikeras.backend.config import (
    backend,
    disable_flash_attention,
    enable_flash_attention,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minikeras.dtype_policies import dtype_policy, set_dtype_policy

__all__ = [
    "backend",
    "disable_flash_attention",
    "dtype_policy",
    "enable_flash_attention",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
