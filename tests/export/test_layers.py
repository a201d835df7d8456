"""Every layer, exported: ONNX Runtime computes what the layer does."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

from minikeras import layers, tree
from minikeras.export.imported import from_onnx
from minikeras.export.writing import model_proto
from tests.layers.cases import CASES, Case

FIRST_OF_EACH = list({case.layer: case for case in reversed(CASES)}.values())


def arrays_for(case: Case) -> list[Any]:
    rng = np.random.default_rng(1)
    if case.integers:
        return [rng.integers(0, case.integers, s).astype("int32") for s in case.shapes]
    return [rng.normal(size=s).astype("float32") for s in case.shapes]


def called(case: Case) -> Any:
    """Return the layer of a case as a function of its inputs, built, with weights."""
    layer = getattr(layers, case.layer)(**case.args)

    def call(*xs: Any) -> Any:
        return layer(list(xs) if case.listed else xs[0])

    call(*arrays_for(case))
    rng = np.random.default_rng(2)
    for v in layer.weights:
        if "float" in str(v.dtype):  # variances among them, so above 0
            v.assign(np.abs(0.3 * rng.normal(size=v.shape)))
    return call


def exported(case: Case, call: Any, opset: int) -> Any:
    signature = [
        layers.InputSpec(
            shape=tuple(None if i in case.open_axes else n for i, n in enumerate(s)),
            dtype="int32" if case.integers else "float32",
        )
        for s in case.shapes
    ]
    return model_proto(call, signature, opset)


def close(found: Any, wanted: Any) -> None:
    for x, y in zip(found, wanted, strict=True):
        y = np.asarray(y)
        assert np.asarray(x).dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def compare(case: Case, opset: int) -> None:
    call, xs = called(case), arrays_for(case)
    wanted = tree.flatten(call(*xs))
    proto = exported(case, call, opset)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    feeds = {x.name: value for x, value in zip(session.get_inputs(), xs, strict=True)}
    close(session.run(None, feeds), wanted)
    back = from_onnx(proto.SerializeToString())
    close(tree.flatten(back(feeds if len(xs) > 1 else xs[0])), wanted)


def of_id(case: Case) -> str:
    return case.id


@pytest.mark.parametrize("case", FIRST_OF_EACH, ids=of_id)
def test_onnxruntime_computes_what_the_layer_does(case: Case) -> None:
    compare(case, 18)


@pytest.mark.slow
@pytest.mark.parametrize("opset", [13, 16, 18, 23])
@pytest.mark.parametrize("case", CASES, ids=of_id)
def test_so_it_does_in_every_case_and_version(case: Case, opset: int) -> None:
    compare(case, opset)


def test_a_comparison_can_fail() -> None:
    case = FIRST_OF_EACH[0]
    with pytest.raises(AssertionError):
        close([np.zeros(3, "float32")], [np.full(3, 1e-3, "float32")])
    assert len(FIRST_OF_EACH) > 70
    assert case in CASES
