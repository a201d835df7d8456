"""`export_model`: the formats of `Model.export`, of which ONNX is the one there is."""

from __future__ import annotations

import os
from typing import Any

from minikeras.backend.console import say
from minikeras.export.signatures import as_specs, signature_of
from minikeras.export.writing import model_proto
from minikeras.saving.durable import atomic_write

__all__ = ["export_model", "export_onnx", "refuse_saved_model"]

FORMATS = ("tf_saved_model", "onnx", "openvino", "litert", "torch")
NEEDED = {
    "openvino": "OpenVINO; it reads ONNX files as they are",
    "litert": "TensorFlow or PyTorch",
    "torch": "PyTorch",
}


def export_model(
    model: Any,
    filepath: Any,
    format: str = "tf_saved_model",
    verbose: bool | None = None,
    input_signature: Any = None,
    **kwargs: Any,
) -> None:
    """Write a model for inference elsewhere: see `Model.export`.

    Raises:
        ValueError: for a format that does not exist, or an argument of no use.
        NotImplementedError: for a format that is another framework's own.
    """
    if format not in FORMATS:
        raise ValueError(
            f"Unrecognized format={format}. Supported formats are: {list(FORMATS)}."
        )
    if format == "tf_saved_model":
        refuse_saved_model()
    if format in NEEDED:
        raise NotImplementedError(
            f"format={format!r} is written by {NEEDED[format]}. Use format='onnx' "
            "here, or save the model to a `.keras` file and export it from there."
        )
    export_onnx(model, filepath, verbose, input_signature, **kwargs)


def refuse_saved_model() -> None:
    """Say why there is no SavedModel, and what there is.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        "A TensorFlow SavedModel holds TensorFlow's own graphs, and minikeras works "
        "without TensorFlow: it cannot write one. Use "
        "`model.export('model.onnx', format='onnx')`, which many runtimes read; or "
        "`model.save('model.keras')`, and from there Keras's `export` on TensorFlow."
    )


def export_onnx(
    model: Any,
    filepath: Any,
    verbose: bool | None = None,
    input_signature: Any = None,
    opset_version: int | None = None,
    **kwargs: Any,
) -> None:
    """Write the inference call of a model to an ONNX file, in one step.

    Args:
        model: a model or layer; it is built.
        filepath: of the file.
        verbose: whether to print where it is; by default it is.
        input_signature: for each argument of the call an `InputSpec`, or several in
            any nesting; by default what the model was made or built for.
        opset_version: of ONNX's operators; by default 18.
        kwargs: none.

    Raises:
        ImportError: if `onnx` is not installed.
        UnsupportedError: if something in the model cannot be said in ONNX.
        ValueError: if the model is not built, or an argument is of no use.
    """
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    if input_signature is None:
        signature = signature_of(model)
    else:
        signature = _listed(as_specs(input_signature))
    is_dict = isinstance(getattr(model, "_outputs_struct", None), dict)
    names = None if is_dict else getattr(model, "output_names", None)
    proto = model_proto(model, signature, opset_version, model.name, names)
    write(proto, filepath)
    if verbose is None or verbose:
        say(f"Saved artifact at '{os.fspath(filepath)}'.")


def _listed(signature: Any) -> list[Any]:
    """Return a signature with an item for each argument, if it is that of only one."""
    is_listed = isinstance(signature, (list, tuple))
    return list(signature) if is_listed else [signature]


def write(proto: Any, filepath: Any) -> None:
    """Write a model of ONNX to a file."""
    data = proto.SerializeToString()
    with atomic_write(filepath) as file:
        file.write(data)
