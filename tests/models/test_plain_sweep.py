"""Every function of `ops` in a functional model, whose config moves both ways.

Each case of the table of calls becomes a model whose inputs are the call's arrays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

import minikeras
from minikeras import tree
from minikeras.layers import plain
from tests.ops import cases, cases_signal

# Keras's functions that are no operations, and so may be called on arrays alone.
CLASSES = {
    plain._FUNCTIONS.get(n, minikeras.backend.to_snake_case(n)) for n in plain.homes
}
CASES = [c for c in (*cases.CASES, *cases_signal.CASES) if c.lazy and c.name in CLASSES]


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray)


def model_of(lib: Any, case: cases.Case) -> tuple[Any, list[np.ndarray]]:
    arrays = [x for x in tree.flatten((case.args, case.kwargs)) if is_array(x)]
    inputs = [
        lib.Input(batch_shape=x.shape, dtype=str(x.dtype), name=f"input_{i}")
        for i, x in enumerate(arrays)
    ]
    rest = iter(inputs)
    args, kwargs = tree.map_structure(
        lambda x: next(rest) if is_array(x) else x, (case.args, case.kwargs)
    )
    place = lib.ops
    for part in case.name.split("."):
        place = getattr(place, part)
    given = inputs if len(inputs) > 1 else inputs[0]
    return lib.Model(given, place(*args, **kwargs)), arrays


def built(lib: Any, case: cases.Case) -> tuple[Any, list[np.ndarray]] | None:
    try:
        return model_of(lib, case)
    except Exception:
        return None


def config_of(model: Any) -> str:
    return json.dumps(model.get_config(), default=str)


def values(model: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    given = list(arrays)
    return [
        np.asarray(y)
        for y in tree.flatten(model(given if len(given) > 1 else given[0]))
    ]


def read(lib: Any, config: str) -> Any:
    return lib.Model.from_config(json.loads(config))


def keras_reads(config: str) -> bool:
    """Whether Keras makes a model of a config; of some that it wrote it does not."""
    try:
        read(keras, config)
    except Exception:
        return False
    return True


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:::jax", "ignore:::keras")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_models_move_both_ways(case: cases.Case) -> None:
    theirs = built(keras, case)
    if theirs is None:
        pytest.skip("Keras makes no model of it")
    model, arrays = model_of(minikeras, case)
    wanted = values(theirs[0], arrays)
    found = [values(model, arrays)]
    own, their = config_of(model), config_of(theirs[0])
    found.append(values(read(minikeras, own), arrays))
    if keras_reads(their):
        found.append(values(read(minikeras, their), arrays))
        found.append(values(read(keras, own), arrays))
    for ys in found:
        for y, other in zip(ys, wanted, strict=True):
            np.testing.assert_allclose(y, other, case.tolerance, case.tolerance)
