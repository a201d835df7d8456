"""Meshes, layouts and strategies say what Keras's say; training takes one device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras import distribution as theirs

import minikeras
from minikeras import distribution as ours

DEVICES = [f"cpu:{i}" for i in range(8)]


def both(body: Any) -> tuple[Any, Any]:
    """Return what a script yields on either, an error as its type and text."""
    found = []
    for lib in (ours, theirs):
        try:
            found.append(body(lib))
        except Exception as error:
            found.append((type(error), str(error)))
    return found[0], found[1]


def shown(layout: Any) -> Any:
    return None if layout is None else (layout.axes, repr(layout), layout.device_mesh)


class Weight:
    path = "net/dense_1/kernel"
    shape = (3, 4)


def mesh(lib: Any) -> Any:
    return lib.DeviceMesh((4, 2), ["batch", "model"], DEVICES)


def mapped(lib: Any) -> Any:
    layouts = lib.LayoutMap(mesh(lib))
    layouts[".*dense.*kernel"] = (None, "model")
    layouts["out"] = lib.TensorLayout(["batch"])
    return layouts


SCRIPTS = {
    "mesh": lambda d: (repr(mesh(d)), mesh(d).devices.tolist(), mesh(d).shape),
    "mesh of nothing": lambda d: d.DeviceMesh((4,), "", DEVICES[:4]),
    "mesh with few names": lambda d: d.DeviceMesh((4, 2), ["batch"], DEVICES),
    "mesh of few devices": lambda d: d.DeviceMesh((4, 2), ["a", "b"], DEVICES[:4]),
    "layout": lambda d: repr(d.TensorLayout(("batch", None), mesh(d))),
    "layout without a mesh": lambda d: repr(d.TensorLayout(["batch"])),
    "map": lambda d: [
        layout and layout.axes
        for layout in map(
            mapped(d).__getitem__, ["a/dense/kernel", "out", "a/dense/bias"]
        )
    ],
    "map as a dict": lambda d: (list(mapped(d)), len(mapped(d)), "out" in mapped(d)),
    "map with a key twice": lambda d: mapped(d).__setitem__("out", ("batch",)),
    "map of something else": lambda d: mapped(d).__setitem__("x", ["batch"]),
    "map with two fits": lambda d: (
        lambda m: (m.__setitem__("net.*", ("model",)), m[Weight.path])
    )(mapped(d)),
    "data": lambda d: (
        lambda p: (
            p.num_model_replicas,
            p.data_shard_id,
            p.batch_dim_name,
            p.get_data_layout((8, 2, 3)).axes,
            p.get_variable_layout(Weight()).axes,
            p.get_tensor_layout("out"),
            repr(p),
        )
    )(d.DataParallel(devices=DEVICES)),
    "data on what is no mesh": lambda d: d.DataParallel(device_mesh=[1]),
    "model": lambda d: (
        lambda p: (
            p.num_model_replicas,
            p.batch_dim_name,
            p.get_data_layout((8, 2)).axes,
            p.get_variable_layout(Weight()).axes,
            p.get_tensor_layout("out").axes,
            repr(p),
        )
    )(d.ModelParallel(layout_map=mapped(d))),
    "model without a map": lambda d: d.ModelParallel(),
    "model with a wrong map": lambda d: d.ModelParallel(layout_map={}),
    "current": lambda d: d.distribution(),
    "devices": lambda d: (d.list_devices("cpu")[:1], d.get_device_count("cpu") > 0),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_in_keras(name: str) -> None:
    found, wanted = both(SCRIPTS[name])
    assert found == wanted


def test_unknown_axes_are_named() -> None:
    with pytest.raises(ValueError, match="Invalid axis names for Layout"):
        ours.TensorLayout(["rows"], mesh(ours))
    layout = ours.TensorLayout(["rows"])
    with pytest.raises(ValueError, match="rows"):
        layout.device_mesh = mesh(ours)
    assert layout.device_mesh is None
    layout = ours.TensorLayout(["batch"], mesh(ours))
    with pytest.raises(ValueError, match="Cannot override device mesh"):
        layout.device_mesh = mesh(ours)


def test_a_scope_ends_with_what_was_before() -> None:
    first, second = (ours.DataParallel(devices=DEVICES[:n]) for n in (1, 2))
    with first.scope():
        with second.scope():
            assert ours.distribution() is second
        assert ours.distribution() is first
    assert ours.distribution() is None


def trained() -> list[np.ndarray]:
    minikeras.utils.set_random_seed(0)
    model = minikeras.Sequential([minikeras.Input((3,)), minikeras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
    return model.get_weights()


def test_training_on_one_device_is_training() -> None:
    wanted = trained()
    with ours.DataParallel().scope():
        found = trained()
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_training_on_several_is_refused() -> None:
    with (
        ours.DataParallel(devices=DEVICES).scope(),
        pytest.raises(NotImplementedError, match="trained on one device here"),
    ):
        trained()


def test_a_tensor_stays_where_it_is() -> None:
    x = np.ones(3)
    one = ours.TensorLayout([None], ours.DeviceMesh((1,), ["batch"], DEVICES[:1]))
    assert ours.distribute_tensor(x, one) is x
    with pytest.raises(NotImplementedError, match="one device here"):
        ours.distribute_tensor(x, ours.TensorLayout([None, None], mesh(ours)))


def test_one_process_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ours.initialize()
    ours.initialize(num_processes=1, process_id=0)
    with pytest.raises(NotImplementedError, match="2 processes"):
        ours.initialize("a:1,b:2", 2, 0)
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "3")
    with pytest.raises(NotImplementedError, match="3 processes"):
        ours.initialize()
    with pytest.raises(ValueError, match="no process 1 of 1"):
        ours.initialize(num_processes=1, process_id=1)
    with pytest.raises(ValueError, match="device_type"):
        ours.list_devices("npu")
