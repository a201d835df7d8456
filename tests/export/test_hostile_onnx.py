"""ONNX files that ask for what no model needs are refused, and their twins are read."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from minikeras.export import ONNXGraph, UnsupportedError, from_onnx
from minikeras.saving import CorruptFileError, ModelFileError

W = np.arange(12, dtype="float32").reshape(4, 3)


def model_of(nodes: Any, tensors: Any, shape: Any = (None, 4)) -> Any:
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    result = helper.make_empty_tensor_value_info("y")
    graph = helper.make_graph(nodes, "g", [info], [result], tensors)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8
    )


def product(tensor: Any) -> Any:
    return model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor])


def external(location: str, **facts: int) -> Any:
    tensor = numpy_helper.from_array(W, "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **facts}.items():
        tensor.external_data.add(key=key, value=str(value))
    return product(tensor)


def written(model: Any, folder: Path) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def is_product(model: Any) -> bool:
    x = np.ones((2, 4), "float32")
    return np.allclose(model(x), x @ W)


# -- files beside ----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["w.bin", "parts/w.bin"])
def test_weights_in_a_file_beside_are_read(place: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes(b"\0" * 8 + W.tobytes())
    path = written(external(place, offset=8, length=W.nbytes), tmp_path)
    assert is_product(from_onnx(path))


@pytest.mark.parametrize(
    "place", ["../w.bin", "/etc/hostname", "a/../../w.bin", "C:\\w.bin", "", "."]
)
def test_a_file_elsewhere_is_not_opened(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(W.tobytes())
    with pytest.raises(ModelFileError, match=r"Not allowed|no such file"):
        from_onnx(written(external(place), folder))


def test_nor_is_one_that_a_link_leads_to(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(W.tobytes())
    os.symlink(tmp_path / "w.bin", folder / "w.bin")
    with pytest.raises(ModelFileError, match="no such file beside it"):
        from_onnx(written(external("w.bin"), folder))


def test_content_alone_has_nothing_beside_it() -> None:
    with pytest.raises(ModelFileError, match="give the path"):
        from_onnx(external("w.bin").SerializeToString())


@pytest.mark.parametrize(
    "facts", [{"offset": 8}, {"length": 1 << 40}, {"offset": -8}, {"length": 8}]
)
def test_a_file_beside_has_what_is_promised(facts: Any, tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(W.tobytes())
    with pytest.raises(ModelFileError):
        from_onnx(written(external("w.bin", **facts), tmp_path))


def test_nor_has_a_graph_in_the_config_of_a_layer(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(W.tobytes())
    for place in ("w.bin", str(tmp_path / "w.bin")):
        graph = base64.b64encode(external(place).SerializeToString()).decode()
        with pytest.raises(TypeError, match=r"give the path|Not allowed"):
            ONNXGraph.from_config({"graph": graph})


# -- sizes -----------------------------------------------------------------------------


def test_an_array_has_the_numbers_that_its_shape_promises() -> None:
    assert is_product(
        from_onnx(product(numpy_helper.from_array(W, "w")).SerializeToString())
    )
    tensor = numpy_helper.from_array(W, "w")
    for dims in ([4, 1 << 40], [4, 300], [-4, 3], [1 << 62, 1 << 62]):
        tensor.dims[:] = dims
        with pytest.raises(ModelFileError):
            from_onnx(product(tensor).SerializeToString())


BOMBS = {
    "fill": [helper.make_node("ConstantOfShape", ["n"], ["z"])],
    "expand": [helper.make_node("Expand", ["one", "n"], ["z"])],
    "tile": [helper.make_node("Tile", ["square", "n"], ["z"])],
    "range": [helper.make_node("Range", ["zero", "many", "step"], ["z"])],
    "outer": [helper.make_node("MatMul", ["column", "row"], ["z"])],
}
CONSTANTS = {
    "n": np.array([1 << 20, 1 << 20]),
    "one": np.ones((1, 1), "int32"),
    "square": np.ones((1, 1), "int32"),
    "zero": np.array(0),
    "many": np.array(1 << 40),
    "step": np.array(1),
    "column": np.ones((20_000, 1), "int32"),
    "row": np.ones((1, 20_000), "int32"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_constants_do_not_fill_the_memory(name: str) -> None:
    nodes = [
        *BOMBS[name],
        helper.make_node("Size", ["z"], ["s"]),
        helper.make_node("Cast", ["s"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["x", "f"], ["y"]),
    ]
    tensors = [numpy_helper.from_array(v, k) for k, v in CONSTANTS.items()]
    with pytest.raises((ModelFileError, ValueError), match="too large"):
        from_onnx(model_of(nodes, tensors).SerializeToString())


def test_their_twins_are_computed() -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["n"], ["z"]),
        helper.make_node("Add", ["x", "z"], ["y"]),
    ]
    tensors = [numpy_helper.from_array(np.array([2, 4]), "n")]
    model = from_onnx(model_of(nodes, tensors).SerializeToString())
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(model(x), x)


# -- what is no model ------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\x80\x04.", os.urandom(300)])
def test_other_files_are_no_models(data: bytes) -> None:
    with pytest.raises(CorruptFileError):
        from_onnx(data)


def test_every_cut_of_a_file_is_an_error_of_the_file() -> None:
    data = product(numpy_helper.from_array(W, "w")).SerializeToString()
    for size in range(0, len(data), 7):
        with pytest.raises((ModelFileError, UnsupportedError, ValueError)):
            from_onnx(data[:size])


def test_text_and_sparse_arrays_are_refused() -> None:
    text = helper.make_tensor("w", TensorProto.STRING, [1], [b"rm"])
    with pytest.raises(ModelFileError, match="made of text"):
        from_onnx(product(text).SerializeToString())
    model = product(numpy_helper.from_array(W, "w"))
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, places, [4, 3])
    )
    with pytest.raises(ModelFileError, match="sparse"):
        from_onnx(model.SerializeToString())


def test_a_name_that_nobody_gives_is_named() -> None:
    node = helper.make_node("MatMul", ["x", "nobody"], ["y"])
    with pytest.raises(ValueError, match="nobody"):
        from_onnx(model_of([node], []).SerializeToString())


def test_python_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = f"open({str(marker)!r}, 'w')"
    node = helper.make_node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib", code=code)
    with pytest.raises(UnsupportedError, match="PyOp of 'ai\\.onnx\\.contrib'"):
        from_onnx(model_of([node], []).SerializeToString())
    assert not marker.exists()
    assert onnx.__version__
