"""Layers in pipelines of `tf.data`: ``dataset.map(layer)``.

TensorFlow calls there with symbolic tensors of its own, once, and runs later what came
of it. It is given a call of Python, which computes by this package when data come.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from minikeras import backend as K

__all__ = ["in_pipeline", "joined_to_pipeline"]


def in_pipeline(structure: Any) -> bool:
    """Whether there are symbolic tensors of TensorFlow's in any nesting of values."""
    tf = sys.modules.get("tensorflow")
    if tf is None or not hasattr(tf, "is_symbolic_tensor"):
        return False
    return any(map(tf.is_symbolic_tensor, K.tree.flatten(structure)))


def joined_to_pipeline(
    layer: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Return the outputs of a layer as symbolic tensors of TensorFlow's.

    Args:
        layer: called with arrays when data come, in threads of TensorFlow's; a layer,
            or any function.
        args: of the call, with symbolic tensors of TensorFlow's among them.
        kwargs: likewise.
    """
    tf: Any = sys.modules["tensorflow"]
    leaves = K.tree.flatten((args, kwargs))
    places = [i for i, x in enumerate(leaves) if tf.is_symbolic_tensor(x)]

    def filled(values: Sequence[Any]) -> tuple[Any, Any]:
        given = dict(zip(places, values, strict=True))
        flat = [given.get(i, x) for i, x in enumerate(leaves)]
        return K.tree.pack_sequence_as((args, kwargs), flat)

    def run(*arrays: Any) -> list[Any]:
        values, named = filled(arrays)
        return K.tree.flatten(layer(*values, **named))

    tensors = [leaves[i] for i in places]
    stand_ins = [K.KerasTensor(tuple(x.shape), x.dtype.name) for x in tensors]
    values, named = filled(stand_ins)
    told = getattr(layer, "compute_output_spec", partial(K.compute_output_spec, layer))
    specs = told(*values, **named)
    flat = K.tree.flatten(specs)
    outputs = tf.numpy_function(run, tensors, [str(K.dtype(y)) for y in flat])
    for output, spec in zip(outputs, flat, strict=True):
        output.set_shape(spec.shape)
    return K.tree.pack_sequence_as(specs, outputs)
