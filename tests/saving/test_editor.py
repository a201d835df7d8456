"""KerasFileEditor: names, arrays and comparisons, beside what a model loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Sequential
from minikeras.saving import KerasFileEditor


def stack(*units: int) -> Sequential:
    return Sequential([layers.Input((3,)), *map(layers.Dense, units)])


def test_what_is_edited_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, longer = stack(4), stack(4, 2)
    model.save(tmp_path / "m.keras")
    editor = KerasFileEditor(tmp_path / "m.keras")
    assert editor.compare(model) == {
        "status": "success",
        "error_count": 0,
        "match_count": 2,
    }
    assert editor.compare(longer)["error_count"] == 1
    kernel = np.arange(8, dtype="float32").reshape(4, 2)
    editor.add_object("layers/new", {"0": kernel})
    editor.rename_object("new", "dense_1")
    editor.add_weights("layers/dense_1", {"1": np.ones(2, "float32")})
    assert editor.compare(longer)["status"] == "success"
    editor.save(tmp_path / "m.weights.h5")
    longer.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(longer.layers[1].kernel, kernel)
    editor.summary()
    assert "dense_1" in capsys.readouterr().out


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    stack(4).save_weights(tmp_path / "m.weights.h5")
    editor = KerasFileEditor(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="Path 'layers/no' not found"):
        editor.delete_object("layers/no")
    with pytest.raises(ValueError, match="does not appear"):
        editor.rename_object("no", "other")
    editor.add_object("layers/again", {"dense": np.ones(1)})
    with pytest.raises(ValueError, match="more than once"):
        editor.delete_object("dense")
    with pytest.raises(ValueError, match="Weight 7 not found in object again"):
        editor.delete_weight("again", "7")
    with pytest.raises(ValueError, match="leaf name"):
        editor.rename_object("again", "a/b")
    with pytest.raises(ValueError, match="should be a dict"):
        editor.add_weights("again", [1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\.weights\.h5"):
        editor.save(tmp_path / "m.txt")
    with pytest.raises(ValueError, match="Invalid filename"):
        KerasFileEditor(tmp_path / "m.txt")
