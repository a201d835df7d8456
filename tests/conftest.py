"""What every test may rely on: a backend, seeded numbers, the same draws each run."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# What has made fixtures, with libraries that are not installed for the tests.
collect_ignore_glob = ["fixtures/*"]

# Before the first import of what reads them:
# nobody's own configuration changes what a test sees, and no test writes to a home;
HOME = Path(__file__).parent.parent / "build" / "home"
os.environ["MINIKERAS_HOME"] = str(HOME / "minikeras")
os.environ["KERAS_HOME"] = str(HOME / "keras")
# Keras is the oracle in some tests, on JAX, on the CPU;
os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# plots go to files.
os.environ.setdefault("MPLBACKEND", "agg")

# The same examples on every run and machine; a slow machine is not a failure.
settings.register_profile(
    "same-every-time",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("same-every-time")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --backend, which must be known before minikeras is imported."""
    parser.addoption(
        "--backend",
        choices=("numpy", "cupy"),
        default=os.environ.get("MINIKERAS_BACKEND", "numpy"),
        help="array library under minikeras (default: $MINIKERAS_BACKEND, or numpy)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose the backend. Workers of pytest-xdist pass here too."""
    os.environ["MINIKERAS_BACKEND"] = config.getoption("--backend")


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The array library under test: numpy or cupy."""
    return request.config.getoption("--backend")


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    """Count layers, metrics and nodes from one in every test, whatever ran before."""
    for library in ("minikeras.backend", "keras.utils"):
        if library in sys.modules:
            sys.modules[library].clear_session(free_memory=False)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same for every test whatever ran before it."""
    return np.random.default_rng(20260101)


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Real Keras 3 on JAX, the oracle."""
    return importlib.import_module("keras")
