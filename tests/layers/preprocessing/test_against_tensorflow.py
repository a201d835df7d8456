"""Layers of text and tables against Keras on TensorFlow, as recorded in fixtures."""

import json
from pathlib import Path

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models

FIXTURES = Path(__file__).parents[2] / "fixtures" / "preprocessing.json"
RECORDED = json.loads(FIXTURES.read_text())
CASES = RECORDED["cases"]

every_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{i}-{case['layer']}" for i, case in enumerate(CASES)]
)


def made(case):
    kwargs = dict(case["kwargs"])
    if isinstance(kwargs.get("ngrams"), list):
        kwargs["ngrams"] = tuple(kwargs["ngrams"])
    layer = getattr(layers, case["layer"])(**kwargs)
    if case["data"] is not None:
        layer.adapt(np.array(case["data"]))
    return layer


def inputs_of(case):
    if case["layer"] == "HashedCrossing":
        return [np.array(x) for x in case["inputs"]]
    return case["inputs"]


@every_case
def test_values_are_those_of_keras(case):
    found, wanted = made(case)(inputs_of(case)), np.array(case["output"])
    assert found.shape == wanted.shape
    if wanted.dtype.kind == "U":
        assert found.tolist() == wanted.tolist()
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@every_case
def test_what_is_learned_is_what_keras_learns(case):
    layer = made(case)
    if hasattr(layer, "get_vocabulary"):
        assert layer.get_vocabulary() == case["learned"]
        assert layer.vocabulary_size() == len(case["learned"])
    elif case["learned"] is not None:
        np.testing.assert_allclose(layer.bin_boundaries, case["learned"], rtol=1e-6)


@every_case
def test_configs_are_those_of_keras(case):
    layer = made(case)
    config = json.loads(json.dumps(K.serialize_keras_object(layer.get_config())))
    bounds = config.pop("bin_boundaries", None)
    wanted = dict(case["config"])
    if bounds is not None:
        np.testing.assert_allclose(bounds, wanted.pop("bin_boundaries"), rtol=1e-6)
    assert {k: v for k, v in config.items() if k not in ("name", "dtype")} == wanted


@every_case
def test_a_config_and_its_assets_make_the_same_layer(case, tmp_path):
    layer = made(case)
    again = type(layer).from_config(K.deserialize_keras_object(layer.get_config()))
    if hasattr(layer, "save_assets"):
        store = {}
        layer.save_own_variables(store)
        layer.save_assets(tmp_path)
        again.load_own_variables(store)
        again.load_assets(tmp_path)
    given = inputs_of(case)
    np.testing.assert_array_equal(again(given), layer(given))


@every_case
def test_models_compute_what_layers_compute(case):
    layer, given = made(case), inputs_of(case)
    several = isinstance(given[0], np.ndarray)
    arrays = [np.array(x) for x in given] if several else [np.array(given)]
    symbolic = [
        layers.Input(x.shape[1:], dtype=K.standardize_dtype(x.dtype)) for x in arrays
    ]
    y = layer(symbolic if several else symbolic[0])
    found = models.Model(symbolic, y)(arrays)
    wanted = layer(given)
    np.testing.assert_array_equal(found, wanted)
    assert found.dtype == wanted.dtype == y.dtype.as_numpy_dtype
    assert all(n in (None, m) for n, m in zip(y.shape, wanted.shape, strict=True))
    if not several:
        shape = layer.compute_output_shape((None, *arrays[0].shape[1:]))
        assert shape == tuple(y.shape)


def test_hashes_are_those_of_tensorflow():
    recorded = RECORDED["hashes"]
    strings, bins = recorded["strings"], recorded["bins"]
    assert K.hash_bins(strings, bins).tolist() == recorded["fast"]
    for key, wanted in recorded["strong"].items():
        assert K.hash_bins(strings, bins, json.loads(key)).tolist() == wanted


def test_siphash_is_that_of_its_paper():
    """Appendix A of the paper: key 00 01 ... 0f, message 00 01 ... 0e."""
    from minikeras.backend.text.siphash import siphash

    key = [0x0706050403020100, 0x0F0E0D0C0B0A0908]
    (found,) = siphash(np.arange(15, dtype=np.uint8)[None], key)
    assert int(found) == 0xA129CA6149BE45E5
