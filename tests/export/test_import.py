"""Files of other exporters as models: they compute what ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import minikeras as keras
from minikeras import Input, Model, Sequential, layers, tree
from minikeras.export import UnsupportedError, from_onnx

FILES = sorted((Path(__file__).parents[1] / "fixtures" / "onnx").glob("*.onnx"))


def inputs_for(session: Any, size: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found = {}
    for x in session.get_inputs():
        shape = [n if isinstance(n, int) and n > 0 else size for n in x.shape]
        whole = "int" in x.type
        made = rng.integers(0, 9, shape) if whole else rng.normal(size=shape)
        found[x.name] = made.astype(x.type[7:-1].replace("float", "float32"))
    return found


def agree(model: Any, session: Any, feeds: dict[str, Any], atol: float = 1e-5) -> None:
    wanted = session.run(None, feeds)
    found = model.predict(feeds if len(feeds) > 1 else feeds.popitem()[1], verbose=0)
    names = [y.name for y in session.get_outputs()]
    each = [found[name] for name in names] if len(names) > 1 else [found]
    for x, y in zip(each, wanted, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_computes_what_onnxruntime_does(path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path))
    agree(from_onnx(path), session, inputs_for(session))


def test_weights_are_variables_which_can_be_trained() -> None:
    (path,) = [p for p in FILES if p.stem == "mlp_script_13"]
    model = from_onnx(path)
    stored = {t.name: t for t in onnx.load(path).graph.initializer}
    assert len(model.trainable_variables) == len(stored) == 6
    for v in model.weights:
        name = v.path.split("/")[-1]
        np.testing.assert_array_equal(v, onnx.numpy_helper.to_array(stored[name]))
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = (x.sum(1) > 0).astype("int32")
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]


def test_moving_means_are_not_trained() -> None:
    nodes = [helper.make_node("BatchNormalization", ["x", *"sbmv"], ["y"])]
    values = {k: np.arange(3, dtype="float32") + i for i, k in enumerate("mvsb", 1)}
    data = made(nodes, {"x": [None, 3, 2]}, ["y"], values)
    check(data)
    model = from_onnx(data)
    assert len(model.trainable_weights) == len(model.non_trainable_weights) == 2


def test_it_can_be_saved_as_any_other_model(tmp_path: Path) -> None:
    (path,) = [p for p in FILES if p.stem == "cnn_script_17"]
    model = from_onnx(path)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype("float32")
    np.testing.assert_array_equal(again(x), model(x))


def test_and_as_onnx_again(tmp_path: Path) -> None:
    (path,) = [p for p in FILES if p.stem == "attention_dynamo_20"]
    from_onnx(path).export(tmp_path / "m.onnx", format="onnx", verbose=False)
    first = onnxruntime.InferenceSession(str(path))
    second = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    (x,) = inputs_for(first).values()
    (a,) = first.run(None, {first.get_inputs()[0].name: x})
    (b,) = second.run(None, {second.get_inputs()[0].name: x})
    np.testing.assert_allclose(b, a, atol=1e-5)


def test_it_is_a_part_of_a_larger_model() -> None:
    (path,) = [p for p in FILES if p.stem == "mlp_dynamo_20"]
    inner = from_onnx(path)
    x = Input((4,))
    model = Model(x, layers.Dense(1)(inner(x)))
    assert model.output_shape == (None, 1)


def test_several_inputs_and_outputs_go_by_their_names(tmp_path: Path) -> None:
    a, b = Input((2,), name="a"), Input((3,), name="b")
    y = {"sum": layers.Dense(2, name="d")(b) + a, "twice": b * 2}
    own = Model({"a": a, "b": b}, y)
    own.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    model = from_onnx(tmp_path / "m.onnx")
    feeds = {"a": np.ones((2, 2), "float32"), "b": np.ones((2, 3), "float32")}
    found = model(feeds)
    assert found.keys() == y.keys()
    np.testing.assert_allclose(found["sum"], own(feeds)["sum"], rtol=1e-6)


# -- single nodes ----------------------------------------------------------------------


def made(
    nodes: Any,
    inputs: dict[str, Any],
    outputs: Any,
    values: Any = None,
    opset: int = 18,
) -> bytes:
    """Return a file of nodes; a dtype other than float32 comes with the name."""

    def info(name: str, shape: Any) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    arrays = [
        onnx.numpy_helper.from_array(np.asarray(value), name)
        for name, value in (values or {}).items()
    ]
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(
        nodes, "g", [info(*item) for item in inputs.items()], results, arrays
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    version = helper.find_min_ir_version_for(opsets, ignore_unknown=True)
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=version
    ).SerializeToString()


ROW = {"x": [None, 4]}
IMAGE = {"x": [None, 4, 5, 6]}
KERNEL = np.random.default_rng(3).normal(size=(6, 4, 3, 2)).astype("float32")
ONE_INPUT: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    *((kind, ROW, {}, {}) for kind in ("Abs", "Erf", "Round", "Sign", "HardSwish")),
    *((kind, ROW, {}, {}) for kind in ("Mish", "Softplus", "Selu", "Celu", "Elu")),
    ("Gelu", ROW, {"approximate": "tanh"}, {}),
    ("HardSigmoid", ROW, {"alpha": 0.3, "beta": 0.4}, {}),
    ("ThresholdedRelu", ROW, {"alpha": 0.3}, {}),
    ("LogSoftmax", ROW, {"axis": 1}, {}),
    ("ReduceL1", ROW, {}, {"axes": np.array([1])}),
    ("ReduceL2", ROW, {"keepdims": 0}, {"axes": np.array([-1])}),
    ("ReduceLogSumExp", ROW, {}, {}),
    ("ReduceSumSquare", ROW, {}, {"axes": np.array([0])}),
    ("ArgMax", ROW, {"axis": 1, "select_last_index": 1}, {}),
    ("ArgMin", ROW, {"axis": -1, "keepdims": 0}, {}),
    ("CumSum", ROW, {"reverse": 1}, {"axis": np.array(1)}),
    ("TopK", ROW, {"largest": 0}, {"k": np.array([2])}),
    ("Flatten", IMAGE, {"axis": 2}, {}),
    ("Flatten", IMAGE, {"axis": 0}, {}),
    ("DepthToSpace", IMAGE, {"blocksize": 2}, {}),
    ("DepthToSpace", IMAGE, {"blocksize": 2, "mode": "CRD"}, {}),
    ("SpaceToDepth", {"x": [None, 4, 4, 6]}, {"blocksize": 2}, {}),
    ("LRN", IMAGE, {"size": 3, "alpha": 0.5, "bias": 2.0}, {}),
    ("LpNormalization", ROW, {"axis": 1, "p": 1}, {}),
    ("GlobalMaxPool", IMAGE, {}, {}),
    ("MaxPool", IMAGE, {"kernel_shape": [2, 3], "strides": [2, 2], "ceil_mode": 1}, {}),
    ("MaxPool", IMAGE, {"kernel_shape": [2, 2], "dilations": [2, 1]}, {}),
    ("MaxPool", IMAGE, {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER"}, {}),
    (
        "AveragePool",
        IMAGE,
        {"kernel_shape": [3, 2], "pads": [1, 0, 1, 1], "count_include_pad": 1},
        {},
    ),
    ("AveragePool", IMAGE, {"kernel_shape": [2, 2], "pads": [1, 1, 0, 0]}, {}),
    (
        "AveragePool",
        IMAGE,
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1],
         "count_include_pad": 1, "ceil_mode": 1},
        {},
    ),
    ("Conv", IMAGE, {"strides": [2, 1], "auto_pad": "SAME_UPPER"}, {"w": KERNEL}),
    ("Conv", IMAGE, {"pads": [0, 1, 2, 0], "dilations": [1, 2]}, {"w": KERNEL}),
    ("Conv", IMAGE, {"group": 2}, {"w": KERNEL[:, :2]}),
    ("ConvTranspose", IMAGE, {"strides": [2, 3]}, {"w": KERNEL[:4]}),
    ("ConvTranspose", IMAGE, {"strides": [2, 2], "group": 2}, {"w": KERNEL[:4]}),
    ("ConvTranspose", IMAGE, {"strides": [2, 2], "pads": [1, 0, 1, 1]},
     {"w": KERNEL[:4]}),
    (
        "ConvTranspose",
        IMAGE,
        {"strides": [3, 2], "output_padding": [2, 1]},
        {"w": KERNEL[:4]},
    ),
    (
        "ConvTranspose",
        IMAGE,
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"w": KERNEL[:4]},
    ),
    (
        "ConvTranspose",
        IMAGE,
        {"strides": [2, 2], "output_shape": [10, 12]},
        {"w": KERNEL[:4]},
    ),
    ("Pad", ROW, {}, {"w": np.array([0, 2, 0, -1]), "value": np.float32(7)}),
    ("Pad", ROW, {"mode": "edge"}, {"w": np.array([0, 2, 0, 1])}),
    ("Slice", ROW, {}, {"a": np.array([-1]), "b": np.array([-9]), "c": np.array([1]),
                        "d": np.array([-2])}),
    ("Split", {"x": [None, 7]}, {"axis": 1, "num_outputs": 3}, {}),
    ("Trilu", {"x": [4, 4]}, {"upper": 0}, {"k": np.array(1)}),
    ("Expand", {"x": [None, 1]}, {}, {"s": np.array([1, 5])}),
    ("Tile", ROW, {}, {"r": np.array([1, 2])}),
    ("GatherElements", ROW, {"axis": 1}, {"i": np.array([[0, -1], [2, 1], [3, 3]])}),
    ("Einsum", ROW, {"equation": "bi,ij->bj"}, {"m": KERNEL[0, :, :, 0]}),
    ("InstanceNormalization", IMAGE, {}, {"s": np.arange(4.0, dtype="float32"),
                                          "b": np.ones(4, "float32")}),
    ("LayerNormalization", IMAGE, {"axis": 2}, {"s": np.ones((5, 6), "float32")}),
    ("Gemm", ROW, {"alpha": 0.5, "beta": 2.0}, {"w": np.ones((4, 2), "float32"),
                                                "b": np.ones(2, "float32")}),
    ("EyeLike", ROW, {"k": 1}, {}),
    ("NonZero", ROW, {}, {}),
    ("Clip", ROW, {}, {"low": np.float32(-0.5)}),
]  # fmt: skip
RESIZES = [
    {"mode": mode, "coordinate_transformation_mode": places, **more}
    for mode, more in (
        ("linear", {}),
        ("nearest", {}),
        ("nearest", {"nearest_mode": "floor"}),
        ("nearest", {"nearest_mode": "round_prefer_ceil"}),
    )
    for places in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
]


def check(data: bytes, atol: float = 1e-5) -> None:
    session = onnxruntime.InferenceSession(data)
    feeds = inputs_for(session)
    wanted = session.run(None, feeds)
    found = from_onnx(data)(feeds.popitem()[1])
    for x, y in zip(tree.flatten(found), wanted, strict=True):
        assert np.asarray(x).dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=atol)


@pytest.mark.parametrize(
    ("kind", "inputs", "attributes", "values"),
    ONE_INPUT,
    ids=[f"{i}-{case[0]}" for i, case in enumerate(ONE_INPUT)],
)
def test_a_node_computes_what_onnxruntime_does(
    kind: str, inputs: Any, attributes: Any, values: Any
) -> None:
    count = {"TopK": 2, "Split": attributes.get("num_outputs")}.get(kind, 1)
    outputs = [f"y{i}" for i in range(count)]
    node = helper.make_node(kind, [*inputs, *values], outputs, **attributes)
    opset = 22 if kind in ("Gelu", "Mish", "HardSwish") else 18
    check(made([node], inputs, outputs, values, opset))


@pytest.mark.parametrize("attributes", RESIZES, ids=lambda a: "-".join(a.values()))
@pytest.mark.parametrize("factor", [2.0, 0.6, 1.5])
def test_images_are_resized_as_by_onnxruntime(attributes: Any, factor: float) -> None:
    scales = np.array([1, 1, factor, factor], "float32")
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], **attributes)
    check(made([node], IMAGE, ["y"], {"s": scales}))


def test_old_versions_have_attributes_for_inputs() -> None:
    nodes = [
        helper.make_node("Unsqueeze", ["x"], ["a"], axes=[1]),
        helper.make_node("ReduceSum", ["a"], ["b"], axes=[2], keepdims=1),
        helper.make_node("Squeeze", ["b"], ["c"], axes=[1]),
        helper.make_node("Slice", ["x"], ["d"], starts=[1], ends=[99], axes=[1]),
        helper.make_node("Clip", ["d"], ["e"], min=-0.5, max=0.5),
        helper.make_node("Add", ["c", "e"], ["f"]),
        helper.make_node("Pad", ["f"], ["g"], pads=[0, 1, 0, 0], value=2.0),
        helper.make_node("Softmax", ["g"], ["h"], axis=0),
        helper.make_node("Split", ["h"], ["y", "z"], axis=1, split=[1, 3]),
    ]
    check(made(nodes, ROW, ["y", "z"], opset=9))


def test_an_unknown_operator_is_named() -> None:
    node = helper.make_node("StringNormalizer", ["x"], ["y"], name="clean")
    with pytest.raises(UnsupportedError, match="node 'clean': StringNormalizer"):
        from_onnx(made([node], ROW, ["y"]))
    node = helper.make_node("Relu", ["x"], ["y"], domain="acme", name="odd")
    with pytest.raises(UnsupportedError, match="node 'odd': Relu of 'acme'"):
        from_onnx(made([node], ROW, ["y"]))


def test_a_version_too_old_is_named() -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    with pytest.raises(UnsupportedError, match="version 6; 7 is the oldest"):
        from_onnx(made([node], ROW, ["y"], opset=6))


def test_functions_of_the_file_are_written_out() -> None:
    twice = helper.make_function(
        "own",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 18)],
    )
    model = onnx.load_model_from_string(
        made([helper.make_node("Twice", ["x"], ["y"], domain="own")], ROW, ["y"])
    )
    model.functions.append(twice)
    model.opset_import.append(helper.make_opsetid("own", 1))
    x = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(from_onnx(model.SerializeToString())(x), 2 * x)


def test_our_own_exports_come_back(tmp_path: Path) -> None:
    model = Sequential(
        [
            Input((6, 3)),
            layers.Conv1D(4, 3, padding="causal"),
            layers.LSTM(5, return_sequences=True),
            layers.GRU(4),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    again = from_onnx(tmp_path / "m.onnx", name="again")
    x = np.random.default_rng(0).normal(size=(5, 6, 3)).astype("float32")
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6
    )
    assert again.name == "again"
