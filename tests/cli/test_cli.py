"""The command line: as functions, and some of it as the processes that users start."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import minikeras
from minikeras.cli import verifying
from minikeras.cli.main import main

keras = minikeras


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(7)
    layers = keras.layers
    made = keras.Sequential(
        [
            layers.Input((6,), name="rows"),
            layers.Dense(5, "relu", name="first"),
            layers.Dropout(0.3),
            layers.Dense(2, name="last"),
        ],
        name="small",
    )
    made.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    made.fit(np.ones((8, 6)), np.ones((8, 2)), verbose=0)
    return made


@pytest.fixture(scope="module")
def folder(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("files")
    model.save(place / "model.keras")
    model.save(place / "model.h5")
    model.save(place / "folder", zipped=False)
    model.save_weights(place / "only.weights.h5")
    model.save_weights(place / "parts.weights.json", max_shard_size=130 / 2**30)
    np.save(place / "x.npy", np.linspace(-1, 1, 18, dtype="float32").reshape(3, 6))
    return place


def ran(*arguments: Any) -> int:
    return main([str(x) for x in arguments])


def found(capsys: pytest.CaptureFixture[str], *arguments: Any) -> Any:
    """Return what a command prints as JSON, if it ends well."""
    assert ran(*arguments) == 0
    return json.loads(capsys.readouterr().out)


# -- inspect ---------------------------------------------------------------------------

FILES = ("model.keras", "model.h5", "folder", "only.weights.h5", "parts.weights.json")


@pytest.mark.parametrize("name", FILES)
def test_inspect_counts_as_the_model_does(
    name: str, folder: Path, model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    data = found(capsys, "inspect", folder / name, "--json")
    counts = {x["name"]: x["parameters"] for x in data["layers"] if x["parameters"]}
    assert data["parameters"] == model.count_params()
    assert counts == {x.name: x.count_params() for x in model.layers if x.weights}
    below = {tuple(x["shape"]) for x in data["tensors"]}
    assert {tuple(w.shape) for w in model.weights} <= below


def test_inspect_shows_how_it_was_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("inspect", folder / "model.keras", "--tensors") == 0
    text = capsys.readouterr().out
    for part in (
        "Sequential small",
        "keras_version  3.15",
        "Adam, learning_rate=0.01",
        "(None, 6)",
        "(6, 5) (5,)",
        "47 parameters in 4 tensors of float32",
        "96 numbers of the optimizer's state in 10 tensors",
        "layers/dense/vars/0",
    ):
        assert part in text


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_inspect_reads_files_of_keras(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras as real

    layers = real.layers
    x = layers.Input((9,), name="words")
    y = layers.LSTM(4, name="memory")(layers.Embedding(20, 3, name="table")(x))
    y = layers.BatchNormalization(name="scaled")(layers.Dropout(0.1)(y))
    theirs = real.Model(x, layers.Dense(1, name="answer")(y))
    theirs.save(tmp_path / name)
    data = found(capsys, "inspect", tmp_path / name, "--json")
    assert data["parameters"] == theirs.count_params()
    counts = {x["name"]: x["parameters"] for x in data["layers"]}
    assert counts == {x.name: x.count_params() for x in theirs.layers}
    assert [x["kind"] for x in data["layers"]] == [
        type(x).__name__ for x in theirs.layers
    ]


def test_inspect_needs_no_class_and_runs_no_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.keras"
    code = """
import minikeras as keras
@keras.saving.register_keras_serializable("shop")
class Own(keras.layers.Dense):
    pass
keras.Sequential([keras.Input((3,)), Own(2)]).save({path!r})
"""
    subprocess.run(
        [sys.executable, "-c", code.replace("{path!r}", repr(str(path)))], check=True
    )
    assert ran("inspect", path) == 0
    text = capsys.readouterr().out
    assert "needs the class shop>Own" in text
    assert "8 parameters" in text


def test_inspect_reads_safetensors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numpy_files = pytest.importorskip("safetensors.numpy")
    arrays = {"a": np.ones((2, 3), "float32"), "b": np.ones(4, "int64")}
    numpy_files.save_file(arrays, tmp_path / "x.safetensors", {"made": "here"})
    data = found(capsys, "inspect", tmp_path / "x.safetensors", "--json")
    tensors = {x["path"]: (tuple(x["shape"]), x["dtype"]) for x in data["tensors"]}
    assert tensors == {"a": ((2, 3), "float32"), "b": ((4,), "int64")}
    assert data["versions"] == {"made": "here"}


def test_inspect_reads_graphs_of_onnx(
    folder: Path, tmp_path: Path, model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx")
    model.export(tmp_path / "small.onnx", format="onnx", verbose=False)
    data = found(capsys, "inspect", tmp_path / "small.onnx", "--json")
    shapes = sorted(tuple(x["shape"]) for x in data["tensors"] if len(x["shape"]) == 2)
    assert shapes == [(5, 2), (6, 5)]
    assert "(None, 6) float32" in data["versions"]["inputs"]
    assert "MatMul" in data["versions"]["ops"] or "Gemm" in data["versions"]["ops"]


def hostile(path: Path, kind: str) -> None:
    if kind == "link":
        with h5py.File(path, "w") as file:
            file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")
    elif kind == "cycle":
        with h5py.File(path, "w") as file:
            file["a"] = file
    elif kind == "header":
        path.write_bytes((1 << 40).to_bytes(8, "little") + b"{}")
    else:
        path.write_bytes(b"something else")


@pytest.mark.parametrize(
    "name, kind, message",
    [
        ("x.weights.h5", "link", "ExternalLink"),
        ("x.weights.h5", "cycle", "too many groups, or too deep ones"),
        ("x.safetensors", "header", "its header is broken"),
        ("x.keras", "other", "no file of a model"),
    ],
)
def test_inspect_refuses_what_is_no_model(
    name: str,
    kind: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile(tmp_path / name, kind)
    assert ran("inspect", tmp_path / name) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


# -- run -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["npy", "npz", "csv", "json"])
def test_run_reads_and_writes_each_kind_of_file(
    ending: str, folder: Path, model: Any, tmp_path: Path
) -> None:
    x = np.load(folder / "x.npy")
    given, made = tmp_path / f"x.{ending}", tmp_path / f"y.{ending}"
    if ending == "npy":
        np.save(given, x)
    elif ending == "npz":
        np.savez(given, rows=x)
    elif ending == "csv":
        np.savetxt(given, x, delimiter=",", header="a,b,c,d,e,f", comments="")
    else:
        given.write_text(json.dumps(x.tolist()))
    assert ran("run", folder / "model.keras", given, "-o", made) == 0
    if ending == "npy":
        y = np.load(made)
    elif ending == "npz":
        y = np.load(made)["output"]
    elif ending == "csv":
        y = np.loadtxt(made, delimiter=",")
    else:
        y = np.array(json.loads(made.read_text()))
    np.testing.assert_allclose(y, model.predict(x, verbose=0), rtol=1e-6)


def test_run_prints_all_digits(
    folder: Path, model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    y = found(capsys, "run", folder / "model.h5", folder / "x.npy")
    want = model.predict(np.load(folder / "x.npy"), verbose=0)
    assert np.array(y, "float32").tobytes() == want.tobytes()


def test_run_takes_several_inputs_and_outputs_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = keras.layers
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    c = layers.Concatenate()([a, b])
    outputs = {"one": layers.Dense(1)(c), "two": layers.Dense(2)(c)}
    made = keras.Model({"a": a, "b": b}, outputs)
    made.save(tmp_path / "two.keras")
    x = {"a": np.ones((4, 2)), "b": np.zeros((4, 3))}
    np.savez(tmp_path / "x.npz", **x)
    y = found(capsys, "run", tmp_path / "two.keras", tmp_path / "x.npz")
    for name, want in made.predict(x, verbose=0).items():
        np.testing.assert_allclose(y[name], want, rtol=1e-6)
    message = "several outputs need a .npz or .json"
    arguments = ("run", tmp_path / "two.keras", tmp_path / "x.npz", "-o", "y.csv")
    assert ran(*arguments) == 2
    assert message in capsys.readouterr().err


def test_run_reads_the_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = io.TextIOWrapper(io.BytesIO(b"1,2,3,4,5,6\n0,0,0,0,0,0\n"))
    monkeypatch.setattr(sys, "stdin", given)
    assert np.shape(found(capsys, "run", folder / "model.keras", "-")) == (2, 2)


def test_run_imports_what_has_the_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own_classes.py").write_text(
        "import minikeras as keras\n"
        "@keras.saving.register_keras_serializable('own')\n"
        "class Twice(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return 2 * x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    twice = importlib.import_module("own_classes").Twice
    keras.Sequential([keras.Input((1,)), twice()]).save(tmp_path / "own.keras")
    keras.saving.get_custom_objects().clear()
    del sys.modules["own_classes"]
    (tmp_path / "x.csv").write_text("1\n2\n")
    files = (tmp_path / "own.keras", tmp_path / "x.csv")
    assert ran("run", *files) == 2
    assert "Twice" in capsys.readouterr().err
    assert found(capsys, "run", *files, "--import", "own_classes") == [[2.0], [4.0]]


def test_run_never_unpickles(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    assert ran("run", folder / "model.keras", tmp_path / "x.npy") == 2
    assert "allow_pickle=False" in capsys.readouterr().err


def test_an_error_is_one_line_and_an_exit_code(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 5)))
    assert ran("run", folder / "model.keras", tmp_path / "x.npy") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("minikeras run: ")
    assert ran("run", folder / "model.keras", tmp_path / "none.npy") == 2
    assert "none.npy: No such file" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):
        ran("inspect", tmp_path / "none.keras", "--traceback")


# -- verify ----------------------------------------------------------------------------


def test_verify_agrees_with_keras(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = found(capsys, "verify", folder / "model.keras", "--json")
    assert data["same"] is True
    assert data["keras"].startswith("Keras 3")
    assert 0 <= data["outputs"][0]["difference"] < 1e-6


def test_verify_sees_a_difference(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def keras_predictions(python: str, file: str, x: Any) -> tuple[list[Any], str]:
        model = keras.models.load_model(file)
        return [model.predict(x, verbose=0) + 1e-3], "Keras"

    monkeypatch.setattr(verifying, "keras_predictions", keras_predictions)
    assert ran("verify", folder / "model.keras") == 1
    assert "different from Keras by more than 0.0001" in capsys.readouterr().out
    assert ran("verify", folder / "model.keras", "--tolerance", 0.01) == 0


@pytest.mark.parametrize(
    "ours, theirs, difference",
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([np.inf], [np.inf], 0.0),
        ([np.inf], [3.0], np.inf),
        ([1.0, 2.0], [1.5, 2.0], 0.5),
    ],
)
def test_verify_takes_nan_for_itself_alone(
    ours: list[float], theirs: list[float], difference: float
) -> None:
    row = verifying._row("y", np.array(ours, "f4"), np.array(theirs, "f4"))
    assert row["difference"] == difference


def test_verify_says_that_keras_is_missing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    assert ran("verify", folder / "model.keras", "--python", python) == 2
    error = capsys.readouterr().err
    assert "Keras is not installed" in error
    assert "pip install keras" in error


def test_verify_draws_words_that_an_embedding_knows(tmp_path: Path) -> None:
    layers = keras.layers
    made = keras.Sequential([layers.Input((None,)), layers.Embedding(5, 2)])
    x = verifying.drawn(made, seed=0)
    assert x.shape == (verifying.ROWS, verifying.UNKNOWN)
    assert set(np.unique(x)) == {0, 1, 2, 3, 4}
    text = keras.Sequential([layers.Input((1,), dtype="string"), layers.Hashing(3)])
    with pytest.raises(ValueError, match="--input"):
        verifying.drawn(text, seed=0)


# -- diff ------------------------------------------------------------------------------


def recorded(path: Path, seed: int = 1, change: int | None = None, **how: Any) -> Any:
    """Train and record a run; at step `change` one row of the data differs."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    made = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, "tanh"),
            layers.Dropout(0.5),
            layers.Dense(1),
        ]
    )
    made.compile("adam", "mse")
    rng = np.random.default_rng(0)
    x, y = rng.random((20, 4), "float32"), rng.random((20, 1), "float32")
    if change is not None:
        x[4 * change] += 1
    recorder = keras.callbacks.RunRecorder(path, **how)
    given = {"batch_size": 4, "verbose": 0, "shuffle": False, "callbacks": [recorder]}
    return made.fit(x, y, epochs=2, **given)


def test_diff_of_the_same_run_finds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = recorded(tmp_path / "1.jsonl"), recorded(tmp_path / "2.jsonl")
    data = found(capsys, "diff", tmp_path / "1.jsonl", tmp_path / "2.jsonl", "--json")
    assert data == {"same": True, "steps": 10}
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("change", [0, 3])
def test_diff_names_the_first_step_and_tensor(
    change: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path / "1.jsonl")
    recorded(tmp_path / "2.jsonl", change=change)
    names = (tmp_path / "1.jsonl", tmp_path / "2.jsonl")
    assert ran("diff", *names, "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["step"], data["epoch"], data["batch"]) == (change + 1, 0, change)
    assert list(data["logs"]) == ["loss"]
    assert data["tensors"][0].endswith("/kernel")
    assert ran("diff", *names) == 1
    text = capsys.readouterr().out
    assert f"at step {change + 1} (epoch 0, batch {change})" in text
    assert "what differs is data" in text


def test_diff_sees_other_first_weights_other_models_and_shorter_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path / "1.jsonl")
    recorded(tmp_path / "2.jsonl", seed=2)
    assert ran("diff", tmp_path / "1.jsonl", tmp_path / "2.jsonl") == 1
    assert "the start, before the first step" in capsys.readouterr().out
    lines = (tmp_path / "1.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "3.jsonl").write_text("".join(lines[:-1]) + lines[-1][:40])
    assert ran("diff", tmp_path / "1.jsonl", tmp_path / "3.jsonl") == 1
    assert "the end of epoch 1 too" in capsys.readouterr().out
    head = json.loads(lines[0])
    head["tensors"][0]["shape"] = [4, 4]
    (tmp_path / "4.jsonl").write_text(json.dumps(head) + "\n")
    assert ran("diff", tmp_path / "1.jsonl", tmp_path / "4.jsonl") == 1
    assert "(4, 8) float32 against" in capsys.readouterr().out
    assert ran("diff", tmp_path / "1.jsonl", __file__) == 2
    assert "RunRecorder" in capsys.readouterr().err


# -- doctor, and the process -----------------------------------------------------------


def test_doctor_names_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    code = ran("doctor", "--json")
    data = json.loads(capsys.readouterr().out)
    assert code == (1 if data["amiss"] else 0)
    assert data["found"]["NumPy"] == np.__version__
    assert data["found"]["backend"] == minikeras.config.backend()
    assert f"h5py {h5py.__version__}" in data["found"]["[h5]"]


def test_doctor_sees_two_wheels_of_cupy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from minikeras.cli import doctor

    class Wheel:
        version = "14.0"

        def __init__(self, name: str) -> None:
            self.name = name

    wheels = [Wheel("cupy-cuda12x"), Wheel("cupy-cuda13x"), Wheel("numpy")]
    monkeypatch.setattr(doctor.metadata, "distributions", lambda: wheels)
    assert ran("doctor") == 1
    assert "two wheels of CuPy" in capsys.readouterr().out


def test_doctor_sees_an_old_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from minikeras.cli import doctor

    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.9.1")
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda name: ["h5py>=3.11; extra == 'h5'"]
    )
    (line,) = doctor._extras()
    assert line.value == "h5py 0.9.1 is too old, 3.11 is needed"
    assert "minikeras[h5]" in line.advice


def process(*arguments: Any, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "minikeras", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)


def test_it_works_without_a_terminal_and_in_ascii(folder: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    done = process("inspect", folder / "model.keras", env=environment)
    assert done.returncode == 0, done.stderr
    assert "47 parameters" in done.stdout
    assert process().returncode == 2
    assert process("--version").stdout.strip() == f"minikeras {minikeras.__version__}"


def test_the_script_is_declared() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"minikeras": "minikeras.cli.main:main"}
