"""Training in 8-bit floats: products of rounded numbers, with scales that follow them.

The scales and the largest values of late are variables that "gradients" overwrite: that
is how they change in a training step, and nowhere else.
"""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.dtype_policies import QuantizedFloat8DTypePolicy
from minikeras.quantizers import (
    compute_float8_amax_history,
    compute_float8_scale,
    quantize_and_dequantize,
)
from minikeras.quantizers.float8 import FLOAT8_MAX, to_few_bits

__all__ = ["float8_call", "make_scales"]

_ROUNDED = ("inputs", "kernel", "outputs_grad")


def make_scales(layer: Any) -> None:
    """Make a scale and a history of largest values for all that is rounded."""
    default = QuantizedFloat8DTypePolicy.default_amax_history_length
    length = getattr(layer.dtype_policy, "amax_history_length", default)
    for what in _ROUNDED:
        for ending, shape, start in (
            ("scale", (), "ones"),
            ("amax_history", (length,), "zeros"),
        ):
            name = f"{what}_{ending}"
            variable = layer.add_weight(
                shape,
                start,
                dtype="float32",
                autocast=False,
                overwrite_with_gradient=True,
                name=name,
            )
            setattr(layer, name, variable)


def float8_call(layer: Any, inputs: Any, training: Any = None) -> Any:
    """Return the output, of rounded inputs by a rounded weight.

    Raises:
        NotImplementedError: if the layer has low-rank matrices.

    Source: Micikevicius et al. 2022, arXiv:2209.05433.
    """
    if layer.lora_enabled:
        raise NotImplementedError("float8 and LoRA do not go together yet")
    form = layer.form
    given = {"inputs": inputs, "kernel": layer.kept_weight}
    x, w = (_rounded(layer, what, x, training) for what, x in given.items())
    y = _with_rounded_gradient(layer, form.project(layer, x, w))
    bias = layer.bias
    if bias is not None and layer.compute_dtype == "float32":
        bias = _as_bfloat16(bias.value)
    return form.finish(layer, y, bias)


def _state(layer: Any, what: str) -> tuple[Any, Any]:
    names = (f"{what}_scale", f"{what}_amax_history")
    scale, history = (K.convert_to_tensor(getattr(layer, name)) for name in names)
    return scale, history


def _updated(x: Any, scale: Any, history: Any, kind: str) -> tuple[Any, Any]:
    """Return the scale and the history that follow."""
    new_scale = compute_float8_scale(K.max(history, axis=0), scale, FLOAT8_MAX[kind])
    return new_scale, compute_float8_amax_history(x, history)


def _rounded(layer: Any, what: str, x: Any, training: Any) -> Any:
    """Return `x` rounded; its gradient is that of `x` itself."""
    kind = "float8_e4m3fn"

    @K.custom_gradient
    def rounded(x: Any, scale: Any, history: Any) -> Any:
        after = _updated(x, scale, history, kind) if training else (None, None)

        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            return (arguments[0] if upstream is None else upstream, *after)

        return quantize_and_dequantize(x, scale, kind, layer.compute_dtype), gradient

    return rounded(K.convert_to_tensor(x), *_state(layer, what))


@K.custom_gradient
def _as_bfloat16(x: Any) -> Any:
    """Return `x` rounded as bfloat16 is, and so its gradient."""

    def rounded(x: Any) -> Any:
        return to_few_bits(x, digits=7, least=-126)

    def gradient(*arguments: Any, upstream: Any = None) -> Any:
        return rounded(arguments[0] if upstream is None else upstream)

    return rounded(x), gradient


def _with_rounded_gradient(layer: Any, y: Any) -> Any:
    """Return `y`, whose gradient is rounded."""
    kind = "float8_e5m2"

    @K.custom_gradient
    def same(y: Any, scale: Any, history: Any) -> Any:
        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, ...]:
            g = arguments[0] if upstream is None else upstream
            rounded = quantize_and_dequantize(g, scale, kind, layer.compute_dtype)
            return (rounded, *_updated(g, scale, history, kind))

        return y, gradient

    return same(y, *_state(layer, "outputs_grad"))
