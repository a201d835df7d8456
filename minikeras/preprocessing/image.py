"""Images in files and as arrays, under the names of ``keras.preprocessing.image``."""

from minikeras.utils.images import (
    array_to_img,
    img_to_array,
    load_img,
    save_img,
    smart_resize,
)

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
