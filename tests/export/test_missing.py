"""Without the libraries for files of others, the error says what to install."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from minikeras import Input, Sequential, layers
from minikeras.export import from_onnx, library
from minikeras.saving import tensors


@pytest.fixture
def model() -> Any:
    return Sequential([Input((2,)), layers.Dense(1)])


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("onnx", "onnx.checker", "safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, name, None)  # imports of it fail
    library.onnx.cache_clear()
    tensors.library.cache_clear()
    yield
    library.onnx.cache_clear()
    tensors.library.cache_clear()


@pytest.mark.usefixtures("bare")
def test_the_error_names_the_extra(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[onnx\]'"):
        model.export(tmp_path / "m.onnx", format="onnx")
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[onnx\]'"):
        from_onnx(b"")
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[safetensors\]'"):
        model.save_weights(tmp_path / "m.safetensors")
    with pytest.raises(ImportError, match=r"pip install 'minikeras\[safetensors\]'"):
        model.load_weights(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
