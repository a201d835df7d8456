"""Whole models as ONNX files, and what `Model.export` refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import minikeras as keras
from minikeras import Input, Model, Sequential, layers, ops
from minikeras.export import ExportArchive, export_onnx

RNG = np.random.default_rng(0)


def reals(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


def mlp() -> Model:
    return Sequential(
        [
            Input((6,), name="features"),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def cnn() -> Model:
    return Sequential(
        [
            Input((9, 9, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(6, 3, activation="gelu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )


def recurrent() -> Model:
    ids = Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(11, 4, mask_zero=True)(ids)
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
    return Model(ids, layers.Dense(2)(layers.GRU(3)(x)))


def transformer() -> Model:
    ids = Input((None,), dtype="int32")
    x = layers.Embedding(11, 8)(ids)
    y = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(x + y)
    y = layers.Dense(8)(layers.Dense(16, activation="gelu")(x))
    return Model(ids, layers.Dense(11)(layers.LayerNormalization()(x + y)))


def tables() -> Model:
    inputs = {"left": Input((4,), name="left"), "right": Input((3,), name="right")}
    x = layers.Concatenate()([inputs["right"], inputs["left"]])
    hidden = layers.Dense(5, activation="tanh", name="hidden")(x)
    outputs = {"score": layers.Dense(1)(hidden), "hidden": hidden}
    return Model(inputs, outputs)


def images() -> Model:
    normalization = layers.Normalization()
    normalization.adapt(reals(20, 8, 8, 3))
    return Sequential(
        [
            Input((8, 8, 3)),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Resizing(5, 6),
            normalization,
            layers.RandomFlip(),
            layers.CenterCrop(4, 4),
            layers.Flatten(),
        ]
    )


class Residual(Model):
    def __init__(self) -> None:
        super().__init__(name="residual")
        self.dense = layers.Dense(4)

    def call(self, x: Any) -> Any:
        return x + ops.sin(self.dense(x))


MODELS: dict[str, tuple[Any, Any]] = {
    "mlp": (mlp, lambda n: reals(n, 6)),
    "cnn": (cnn, lambda n: reals(n, 9, 9, 3)),
    "recurrent": (recurrent, lambda n: RNG.integers(0, 11, (n, 5), "int32")),
    "transformer": (transformer, lambda n: RNG.integers(0, 11, (n, 5), "int32")),
    "tables": (tables, lambda n: {"left": reals(n, 4), "right": reals(n, 3)}),
    "images": (images, lambda n: reals(n, 8, 8, 3) * 255),
}


def run(path: Path, x: Any) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(str(path))
    names = [y.name for y in session.get_outputs()]
    feeds = x if isinstance(x, dict) else {session.get_inputs()[0].name: x}
    return dict(zip(names, session.run(None, feeds), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_onnxruntime_predicts_what_the_model_does(name: str, tmp_path: Path) -> None:
    make, inputs = MODELS[name]
    model, path = make(), tmp_path / "model.onnx"
    model.export(path, format="onnx", verbose=False)
    onnx.checker.check_model(str(path), full_check=True)
    for size in (1, 7):  # the number of examples is open
        x = inputs(size)
        wanted, found = model.predict(x, verbose=0), run(path, x)
        if not isinstance(wanted, dict):
            wanted = dict.fromkeys(found, wanted)
        assert found.keys() == wanted.keys()
        for key, value in found.items():
            np.testing.assert_allclose(value, wanted[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_kinds_of_numbers_are_kept(dtype: str, tmp_path: Path) -> None:
    model = Sequential([Input((4,), dtype=dtype), layers.Dense(3, dtype=dtype)])
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    x = reals(2, 4).astype(dtype)
    (found,) = run(tmp_path / "m.onnx", x).values()
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.asarray(model(x)), rtol=1e-2)


def test_mixed_precision_is_kept(tmp_path: Path) -> None:
    model = Sequential([Input((4,)), layers.Dense(3, dtype="mixed_float16")])
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    (found,) = run(tmp_path / "m.onnx", reals(2, 4)).values()
    assert found.dtype == "float16"


def test_int8_weights_stay_as_small_as_they_are(tmp_path: Path) -> None:
    model = Sequential([Input((64,)), layers.Dense(64)])
    model.layers[-1].quantize("int8")
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    assert (tmp_path / "m.onnx").stat().st_size < 64 * 64 * 2
    x = reals(3, 64)
    (found,) = run(tmp_path / "m.onnx", x).values()
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-3, atol=1e-3)


def test_a_subclass_is_exported_as_it_was_called(tmp_path: Path) -> None:
    model = Residual()
    with pytest.raises(ValueError, match="has not yet been built"):
        model.export(tmp_path / "m.onnx", format="onnx")
    x = reals(2, 4)
    wanted = np.asarray(model(x))
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    (found,) = run(tmp_path / "m.onnx", x).values()
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


class Sum(Model):
    def call(self, inputs: Any) -> Any:
        x, y = inputs.values() if isinstance(inputs, dict) else inputs
        return x + 2 * y


@pytest.mark.parametrize("form", [tuple, list, dict])
def test_inputs_of_a_subclass_keep_their_form(form: type, tmp_path: Path) -> None:
    x, y = reals(3, 4), reals(3, 4)
    model = Sum()
    given = {"a": x, "b": y} if form is dict else form((x, y))
    wanted = np.asarray(model(given))
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    names = [x.name for x in session.get_inputs()]
    (found,) = session.run(None, dict(zip(names, (x, y), strict=True)))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_names_in_the_file_are_those_of_the_model(tmp_path: Path) -> None:
    model = mlp()
    model.export(tmp_path / "m.onnx", format="onnx", verbose=False)
    graph = onnx.load(tmp_path / "m.onnx").graph
    (x,), (y,) = graph.input, graph.output
    assert (x.name, y.name) == ("features", model.layers[-1].name)
    assert [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim] == [
        "batch",
        6,
    ]
    stored = {t.name for t in graph.initializer}
    assert {v.path for v in model.weights} <= stored


def test_a_signature_may_fix_sizes(tmp_path: Path) -> None:
    signature = [keras.InputSpec(shape=(2, 6), dtype="float32", name="x")]
    mlp().export(
        tmp_path / "m.onnx", format="onnx", verbose=False, input_signature=signature
    )
    (x,) = onnx.load(tmp_path / "m.onnx").graph.input
    assert [d.dim_value for d in x.type.tensor_type.shape.dim] == [2, 6]


@pytest.mark.parametrize("opset", [13, 15, 18, 21])
def test_the_version_of_operators_is_as_asked(opset: int, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    model = recurrent()
    model.export(path, format="onnx", verbose=False, opset_version=opset)
    assert [entry.version for entry in onnx.load(path).opset_import] == [opset]
    x = RNG.integers(0, 11, (2, 5), "int32")
    (found,) = run(path, x).values()
    np.testing.assert_allclose(found, model.predict(x, verbose=0), atol=1e-5)


@pytest.mark.parametrize("opset", [7, 999, "18"])
def test_other_versions_are_refused(opset: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`opset_version` is between 13 and"):
        mlp().export(tmp_path / "m.onnx", format="onnx", opset_version=opset)
    assert not list(tmp_path.iterdir())


def test_it_says_where_the_file_is(tmp_path: Path, capsys: Any) -> None:
    mlp().export(tmp_path / "m.onnx", format="onnx")
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'm.onnx'}'.\n"
    mlp().export(tmp_path / "m.onnx", format="onnx", verbose=False)
    assert capsys.readouterr().out == ""


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    mlp().export(path, format="onnx", verbose=False)
    before = path.read_bytes()
    stateful = Sequential([Input(batch_shape=(2, 3, 4)), layers.LSTM(3, stateful=True)])
    with pytest.raises(ValueError, match="changes variables"):
        stateful.export(path, format="onnx")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_formats_that_cannot_be_written_say_what_can() -> None:
    with pytest.raises(ValueError, match="Unrecognized format=tflite"):
        mlp().export("m", format="tflite")
    with pytest.raises(NotImplementedError, match=r"SavedModel.*format='onnx'"):
        mlp().export("m")
    for format in ("openvino", "litert", "torch"):
        with pytest.raises(NotImplementedError, match="format='onnx'"):
            mlp().export("m", format=format)
    with pytest.raises(ValueError, match=r"not supported: \['jit'\]"):
        mlp().export("m", format="onnx", jit=True)


def test_a_layer_is_exported_as_a_model_is(tmp_path: Path) -> None:
    layer = layers.Dense(2)
    x = reals(3, 4)
    wanted = np.asarray(layer(x))
    export_onnx(layer, tmp_path / "m.onnx", verbose=False)
    (found,) = run(tmp_path / "m.onnx", x).values()
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


# -- ExportArchive ---------------------------------------------------------------------


def test_an_archive_is_written_as_onnx(tmp_path: Path) -> None:
    model, archive = mlp(), ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "logits",
        lambda x: ops.log(model(x)),
        [keras.InputSpec(shape=(None, 6), dtype="float32")],
    )
    archive.write_out(tmp_path / "m.onnx", verbose=False)
    x = reals(3, 6)
    (found,) = run(tmp_path / "m.onnx", x).values()
    wanted = np.log(model.predict(x, verbose=0))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert archive.variables == model.variables


def test_an_archive_is_honest_about_saved_models(tmp_path: Path) -> None:
    archive = ExportArchive()
    with pytest.raises(ValueError, match="No endpoints have been set yet"):
        archive.write_out(tmp_path / "m")
    archive.track_and_add_endpoint("serve", mlp())
    with pytest.raises(NotImplementedError, match="SavedModel"):
        archive.write_out(tmp_path / "m")
    with pytest.raises(ValueError, match="'serve' is already taken"):
        archive.add_endpoint("serve", mlp())
    archive.track_and_add_endpoint("again", mlp())
    with pytest.raises(ValueError, match="one function"):
        archive.write_out(tmp_path / "m.onnx")


def test_an_archive_checks_what_it_is_given() -> None:
    archive = ExportArchive()
    with pytest.raises(ValueError, match="Invalid resource type"):
        archive.track("model")
    with pytest.raises(ValueError, match="has not yet been built"):
        archive.track(layers.Dense(2))
    with pytest.raises(ValueError, match="must provide an `input_signature`"):
        archive.add_endpoint("f", lambda x: x)
    with pytest.raises(ValueError, match="to be a list/tuple/set"):
        archive.add_variable_collection("all", "variables")
    with pytest.raises(ValueError, match="`Variable` instances"):
        archive.add_variable_collection("all", [1])
    with pytest.raises(ValueError, match="Unsupported format: x"):
        ExportArchive("x")
