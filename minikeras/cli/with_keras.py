"""Keras's predictions, by a process of its own: ``with_keras.py MODEL INPUTS OUTPUTS``.

It needs Keras and NumPy and nothing of this package: it may be run by an interpreter of
another environment.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

MISSING = 3  # exit code: there is no Keras
BACKENDS = ("jax", "tensorflow", "torch")


def main(model_file: str, inputs: str, outputs: str) -> int:
    """Write what Keras predicts; return the exit code."""
    if importlib.util.find_spec("keras") is None:
        return MISSING
    there = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if there:
        os.environ.setdefault("KERAS_BACKEND", there[0])
    numpy = importlib.import_module("numpy")
    keras = importlib.import_module("keras")
    with numpy.load(inputs, allow_pickle=False) as file:
        x = {name: file[name] for name in file.files}
    if all(name.isdigit() for name in x):
        x = [x[str(i)] for i in range(len(x))]
        x = x[0] if len(x) == 1 else x
    model = keras.models.load_model(model_file, compile=False)
    found = keras.tree.flatten(model.predict(x, verbose=0))
    numpy.savez(outputs, *found)
    sys.stdout.write(f"Keras {keras.__version__} on {keras.backend.backend()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
