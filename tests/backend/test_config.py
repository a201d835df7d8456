"""Global settings, scopes of names, and hints that change nothing."""

from __future__ import annotations

import numpy as np
import pytest

import minikeras
from minikeras import Sequential, config, layers
from minikeras import backend as K

X = np.ones((100, 2), "float32")


@pytest.fixture
def limits():
    yield
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def test_epochs_and_steps_can_be_limited(limits):
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
    with (
        pytest.warns(UserWarning, match="Limiting epochs to 2"),
        pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"),
    ):
        history = model.fit(X, X[:, :1], epochs=5, batch_size=10, verbose=0)
    assert len(history.history["loss"]) == 2
    assert int(model.optimizer.iterations) == 6
    with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 3"):
        assert model.predict(X, batch_size=10, verbose=0).shape == (30, 1)


def test_switches():
    for name in ("interactive_logging", "traceback_filtering"):
        for verb, state in (("disable", False), ("enable", True), ("disable", False)):
            getattr(config, f"{verb}_{name}")()
            assert getattr(config, f"is_{name}_enabled")() is state
    config.enable_interactive_logging()
    assert config.is_nnx_enabled() is False
    with pytest.warns(UserWarning, match="has no effect"):
        config.enable_unsafe_deserialization()
    config.set_backend(config.backend())
    with pytest.raises(ValueError, match="MINIKERAS_BACKEND=tensorflow"):
        config.set_backend("tensorflow")
    assert minikeras.version() == minikeras.__version__


def test_scopes_of_names():
    with K.name_scope("outer") as outer:
        assert (outer.name, K.current_path()) == ("outer", "outer")
        with K.name_scope("outer"):
            assert K.current_path() == "outer/outer"
        with K.name_scope("inner", override_parent="/absolute/path"):
            assert K.current_path() == "absolute/path/inner"
        assert K.current_path() == "outer"
    with K.name_scope("same", caller=1), K.name_scope("same", caller=1):
        assert K.current_path() == "same"
    for wrong in ("a/b", 4):
        with pytest.raises(ValueError, match="must be a string"):
            K.name_scope(wrong)


def test_hints_change_nothing():
    with minikeras.device("cpu:0"), minikeras.RematScope("full") as scope:
        assert K.get_current_remat_mode() is scope
        np.testing.assert_array_equal(minikeras.remat(np.negative)(X), -X)
    assert K.get_current_remat_mode() is None
    with pytest.raises(ValueError, match="Expected a string like 'gpu:0'"):
        minikeras.device(3).__enter__()
    with pytest.raises(ValueError, match="Invalid mode 'half'"):
        minikeras.RematScope("half")
