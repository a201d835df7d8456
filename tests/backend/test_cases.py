"""K's classic functions, through the same checks: arrays, variables, tensors."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from minikeras import backend as K
from minikeras.engine import devices, tree
from minikeras.engine.graph import Tensor
from tests.backend.cases import CASES, ELSEWHERE
from tests.ops import cases as ops_cases

HERE = Path(__file__).parent
FAMILIES = ops_cases.words("""
    activation attention color control conv elementwise filling filters image indexing
    introspection linalg normalization pixels pooling recurrent reduction reshaping
    sampling softmax transforms warping
""")


def test_every_function_is_tested():
    modules = [
        importlib.import_module(f"minikeras.backend.{name}") for name in FAMILIES
    ]
    public = {name for module in modules for name in module.__all__}
    elsewhere = set(" ".join(ELSEWHERE.values()).split())
    shared = {case.name for case in ops_cases.CASES}
    assert public - shared - elsewhere - {case.name for case in CASES} == set()
    assert all((HERE / file).exists() for file in ELSEWHERE)


def name_of(case):
    rest = (f"{x.dtype.kind}{x.shape}" if is_tensor(x) else x for x in case.args)
    return f"{case.name}({','.join(map(str, rest))})".replace(" ", "")


def is_tensor(x):
    return isinstance(x, np.ndarray)


def replaced(case, replace):
    return tree.map_structure(lambda x: replace(x) if is_tensor(x) else x, case.args)


def check(found, case):
    wanted = tree.flatten(case.oracle(*case.args))
    found = tree.flatten(found)
    assert len(found) == len(wanted)
    for value, want in zip(
        map(devices.to_host, found), map(np.asarray, wanted), strict=True
    ):
        assert np.shape(value) == want.shape
        assert value.dtype == want.dtype
        np.testing.assert_allclose(value, want, rtol=3e-5, atol=3e-5)


every_case = pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))


@every_case
def test_concrete_in_concrete_out(case):
    found = getattr(K, case.name)(*case.args)
    assert not any(isinstance(x, Tensor) for x in tree.flatten(found))
    check(found, case)


@every_case
@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_symbolic_in_symbolic_out(case, unknown):
    arrays = [x for x in tree.flatten(case.args) if is_tensor(x)]
    if not arrays or (unknown and not case.unknown):
        pytest.skip("has nothing to feed, or needs to know more")
    inputs = []

    def stand_in(x):
        shape = (None,) * x.ndim if unknown else x.shape
        inputs.append(K.placeholder(shape, dtype=x.dtype))
        return inputs[-1]

    outputs = tree.flatten(getattr(K, case.name)(*replaced(case, stand_in)))
    assert all(isinstance(y, Tensor) for y in outputs)
    found = K.function(inputs, outputs)(arrays)
    check(found, case)
    for y, value in zip(outputs, found, strict=True):
        assert y.spec.admits(np.shape(value))


@every_case
def test_variables_are_read_when_the_graph_runs(case):
    if not any(is_tensor(x) and x.dtype.kind == "f" for x in tree.flatten(case.args)):
        pytest.skip("takes no variable")
    made = []

    def stand_in(x):
        if x.dtype.kind != "f":
            return x
        made.append((K.Variable(np.zeros_like(x)), x))
        return made[-1][0]

    outputs = tree.flatten(getattr(K, case.name)(*replaced(case, stand_in)))
    if case.name == "to_dense":  # it is the variable itself
        return
    assert all(isinstance(y, Tensor) for y in outputs)
    for variable, value in made:
        variable.assign(value)
    check(K.function([], outputs)([]), case)
