"""What an adapted layer computes, in place of its `call`."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = ["adapted_call", "merged", "rounded", "shown"]


def adapted_call(layer: Any, inputs: Any, training: Any = None) -> Any:
    """Return the output: by the weight as it is kept, and by the low-rank matrices.

    ``finish(project(quantized x, weight) + alpha / rank project(x, A) B)``.
    """
    form = layer.form
    if layer.packing is None:
        y = form.project(layer, inputs, layer.kept_weight)
    else:
        x = rounded(layer.inputs_quantizer, inputs, form.input_axes(layer))
        y = form.project_packed(layer, x, layer.packing, layer.parts)
    if layer.lora_enabled:
        a, b = layer.lora_pair
        delta = K.matmul(form.project(layer, inputs, a), b)
        y = K.cast(y + layer.lora_alpha / layer.lora_rank * delta, layer.compute_dtype)
    return form.finish(layer, y, layer.bias)


def rounded(quantizer: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Return `x` as the quantizer lets it be; the gradient is that of `x` itself."""
    if quantizer is None:
        return x
    integers, scale = quantizer(x, axis=axes)
    return x + K.stop_gradient(K.cast(integers, x.dtype) / scale - x)


def low_rank(layer: Any) -> Any:
    """Return what the low-rank matrices add to the weight: ``alpha / rank A B``."""
    a, b = (v.value for v in layer.lora_pair)
    return layer.lora_alpha / layer.lora_rank * K.matmul(a, b)


def shown(layer: Any) -> Any:
    """Return the weight as it can be read: in integers, if it is kept in integers."""
    packing = layer.packing
    if packing is None or not layer.form.takes_over:
        return merged(layer)
    parts = [v.value for v in layer.parts]
    return packing.integers(
        *(packing.encode(merged(layer)) if layer.lora_enabled else parts)
    )


def merged(layer: Any) -> Any:
    """Return the weight that a layer computes with, in floats."""
    parts = [v.value for v in layer.parts]
    weight = layer.packing.decode(*parts) if layer.packing else parts[0]
    if layer.lora_enabled:
        weight = K.cast(weight + low_rank(layer), layer.compute_dtype)
    return weight
