"""`import minikeras` as a script does it: in a process of its own, from outside."""

import json
import os
import subprocess
import sys

import pytest

import minikeras

THIRD_PARTY = """
import sys
before = set(sys.modules)
import minikeras
for name in dir(minikeras) if ALL else ():
    getattr(minikeras, name)  # a room is imported when it is first used
new = [sys.modules[name] for name in set(sys.modules) - before]
new = [m.__name__ for m in new if "site-packages" in (getattr(m, "__file__", "") or "")]
print(*sorted({name.partition(".")[0] for name in new}))
"""


@pytest.fixture
def python(tmp_path):
    """Run a program with nothing configured but what the test sets."""
    settings = {"MINIKERAS_BACKEND": "numpy", "KERAS_BACKEND": "", "KERAS_HOME": ""}
    clean = {k: v for k, v in os.environ.items() if k not in settings}

    def run(program, **variables):
        return subprocess.run(
            [sys.executable, "-c", program],
            env=clean | {"MINIKERAS_HOME": str(tmp_path)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def configure(tmp_path):
    """Write the configuration file that `python` finds."""

    def write(settings):
        text = settings if isinstance(settings, str) else json.dumps(settings)
        (tmp_path / "minikeras.json").write_text(text)

    return write


def printed(process):
    """What a program printed, if it ended well."""
    assert process.returncode == 0, process.stderr
    return process.stdout.split()


def complaint(process):
    """The last line of the traceback of a program that failed."""
    assert process.returncode == 1, process.stdout
    return process.stderr.strip().splitlines()[-1]


# -- what it imports and offers --------------------------------------------------------


@pytest.mark.parametrize("every_room", [False, True])
def test_of_all_packages_only_numpy_is_imported(python, every_room):
    assert printed(python(f"ALL = {every_room}\n{THIRD_PARTY}")) == ["numpy"]


def test_every_room_is_offered():
    rooms = "activations backend callbacks constraints initializers layers losses"
    rooms += " metrics models ops optimizers regularizers utils"
    for room in rooms.split():
        assert getattr(minikeras, room).__name__ == f"minikeras.{room}"


def test_the_names_that_every_script_uses_are_at_the_top():
    assert minikeras.Model is minikeras.models.Model
    assert minikeras.Sequential is minikeras.models.Sequential
    assert minikeras.Input is minikeras.layers.Input
    assert minikeras.layers.Dense.__name__ == "Dense"


def test_an_import_says_nothing_and_writes_nothing(python, tmp_path):
    process = python("import minikeras")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


# -- the backend -----------------------------------------------------------------------

BACKEND = "from minikeras import backend as K; print(K.backend())"


def test_numpy_is_the_default(python):
    assert printed(python(BACKEND)) == ["numpy"]


def test_an_empty_variable_is_as_good_as_none(python):
    assert printed(python(BACKEND, MINIKERAS_BACKEND="")) == ["numpy"]


def test_without_cupy_the_cupy_backend_says_what_to_install(python):
    hidden = "import sys; sys.modules['cupy'] = None; "  # as if it were not installed
    line = complaint(python(hidden + BACKEND, MINIKERAS_BACKEND="cupy"))
    assert line.startswith("ImportError: the cupy backend was asked for")
    for part in ("CuPy cannot be imported", "minikeras[cuda12]", "minikeras[cuda13]"):
        assert part in line


def test_without_a_gpu_the_cupy_backend_says_so(python):
    stub = (
        "import sys, types; cupy = types.ModuleType('cupy'); "
        "cupy.is_available = lambda: False; sys.modules['cupy'] = cupy; "
    )
    line = complaint(python(stub + BACKEND, MINIKERAS_BACKEND="cupy"))
    assert "CuPy finds no usable CUDA device or driver" in line
    assert "MINIKERAS_BACKEND=numpy" in line


def test_an_unknown_backend_is_an_error_that_lists_the_known(python):
    line = complaint(python(BACKEND, MINIKERAS_BACKEND="jax"))
    assert line.startswith("ValueError: backend 'jax' does not exist")
    assert line.endswith("must be one of numpy, cupy")


# -- the configuration file ------------------------------------------------------------

SETTINGS = """
from minikeras import backend as K
print(K.backend(), K.floatx(), K.epsilon(), K.image_data_format())
"""


def test_without_a_file_the_settings_are_those_of_keras(python):
    assert printed(python(SETTINGS)) == ["numpy", "float32", "1e-07", "channels_last"]


def test_the_file_sets_everything(python, configure):
    configure(
        {
            "backend": "numpy",
            "floatx": "float64",
            "epsilon": 1e-5,
            "image_data_format": "channels_first",
        }
    )
    found = printed(python(SETTINGS))
    assert found == ["numpy", "float64", "1e-05", "channels_first"]


def test_floatx_of_the_file_is_what_weights_are_made_of(python, configure):
    configure({"floatx": "float64"})
    program = "import minikeras as m; d = m.layers.Dense(2); d.build((None, 3)); "
    assert printed(python(program + "print(d.kernel.dtype)")) == ["float64"]


def test_the_file_chooses_the_backend(python, configure):
    configure({"backend": "torch"})
    assert "backend 'torch' does not exist" in complaint(python(BACKEND))


def test_the_environment_overrides_the_file(python, configure):
    configure({"backend": "torch", "floatx": "float16"})
    found = printed(python(SETTINGS, MINIKERAS_BACKEND="numpy"))
    assert found[:2] == ["numpy", "float16"]


def test_keys_of_later_versions_are_left_alone(python, configure):
    configure({"nnx_enabled": False, "floatx": "float32"})
    assert printed(python(SETTINGS))[1] == "float32"


def test_without_minikeras_home_the_file_is_in_the_home_folder(python, tmp_path):
    folder = tmp_path / ".minikeras"
    folder.mkdir()
    (folder / "minikeras.json").write_text('{"epsilon": 0.5}')
    found = printed(python(SETTINGS, MINIKERAS_HOME="", HOME=str(tmp_path)))
    assert found[2] == "0.5"


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ('{"floatx": ', "minikeras.json is not valid JSON: Expecting value: line 1"),
        (["float32"], "minikeras.json must hold a JSON object; got list"),
        ({"floatx": "float8"}, "minikeras.json: 'floatx': Unknown `floatx` value"),
        ({"epsilon": "small"}, "minikeras.json: 'epsilon': could not convert"),
        ({"image_data_format": "middle"}, "'image_data_format': The `data_format`"),
        ({"backend": ["numpy"]}, "backend ['numpy'] does not exist"),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(python, configure, settings, part):
    configure(settings)
    line = complaint(python(SETTINGS))
    assert line.startswith("ValueError: ")
    assert part in line
