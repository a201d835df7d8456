"""Global settings: floatx, epsilon, image data format, and which backend runs.

Defaults can be set in ``~/.minikeras/minikeras.json`` (or in the folder named by
``MINIKERAS_HOME``) under the keys of Keras's own file: ``floatx``, ``epsilon``,
``image_data_format``, ``backend``. The environment variable ``MINIKERAS_BACKEND``
overrides the last.
"""

from __future__ import annotations

from minikeras.engine import devices, dtypes
from minikeras.engine.devices import backend

__all__ = [
    "backend",
    "disable_flash_attention",
    "enable_flash_attention",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_data_format",
]

_FORMATS = ("channels_last", "channels_first")

_epsilon = 1e-7
_image_data_format = "channels_last"
_flash_attention: bool | None = None


def floatx() -> str:
    """Return the default float type, ``"float32"`` unless it was set.

    Example:
        >>> floatx()
        'float32'
    """
    return dtypes.floatx().name


def set_floatx(value: str) -> None:
    """Set the default float type, by its name: ``"float16"``, ``"float32"`` ...

    Raises:
        ValueError: if `value` is none of these.
    """
    if value not in dtypes.FLOATS:
        raise ValueError(
            f"Unknown `floatx` value: {value}. Expected one of {set(dtypes.FLOATS)}"
        )
    dtypes.set_floatx(value)


def epsilon() -> float:
    """Return what keeps divisions and logarithms finite: 1e-7 by default."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the value of `epsilon`."""
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """Return where an image's channels are: ``"channels_last"`` unless it was set."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default position of an image's channels.

    Raises:
        ValueError: if it is neither ``"channels_last"`` nor ``"channels_first"``.
    """
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Return `data_format`, or the default one for None.

    Raises:
        ValueError: if it is neither ``"channels_last"`` nor ``"channels_first"``.
    """
    if data_format is None:
        return _image_data_format
    name = str(data_format).lower()
    if name not in _FORMATS:
        raise ValueError(
            "The `data_format` argument must be one of "
            "{'channels_first', 'channels_last'}. Received: "
            f"data_format={data_format}"
        )
    return name


def enable_flash_attention() -> None:
    """Let layers of attention keep their scores to themselves, as they do by default.

    How these are computed is the same here either way.
    """
    global _flash_attention
    _flash_attention = None


def disable_flash_attention() -> None:
    """Let layers of attention that are made from now on return scores if asked."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """Return False if it was disabled, otherwise None."""
    return _flash_attention


def _apply_file() -> None:
    setters = {
        "floatx": set_floatx,
        "epsilon": set_epsilon,
        "image_data_format": set_image_data_format,
    }
    for key, value in devices.read_config().items():
        if key in setters:
            try:
                setters[key](value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{devices.config_file()}: {key!r}: {error}") from None


_apply_file()
