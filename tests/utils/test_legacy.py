"""Configs of Keras 2, beside those that Keras writes."""

from __future__ import annotations

import pytest

from minikeras import layers, legacy, optimizers, regularizers
from minikeras.utils.legacy import deserialize_keras_object, serialize_keras_object


def test_configs_are_kerass():
    import keras

    theirs = keras.legacy.saving.serialize_keras_object
    assert serialize_keras_object(None) is None
    for make in (
        lambda k: k.regularizers.L2(0.5),
        lambda k: k.activations.relu,
        lambda k: k.layers.Wrapper(k.layers.ReLU(name="r"), name="w"),
    ):
        import minikeras

        assert serialize_keras_object(make(minikeras)) == theirs(make(keras))
    with pytest.raises(ValueError, match="doesn't implement `get_config"):
        serialize_keras_object(object())


def test_objects_come_back():
    known = {"L2": regularizers.L2, "Dense": layers.Dense, "double": lambda x: 2 * x}
    config = serialize_keras_object(regularizers.L2(0.5))
    assert deserialize_keras_object(config, known).l2 == 0.5
    assert deserialize_keras_object("L2", known).l2 == regularizers.L2().l2
    assert deserialize_keras_object("double", known)(3) == 6
    assert deserialize_keras_object(None) is None
    assert deserialize_keras_object(known["double"]) is known["double"]
    dense = {"class_name": "Dense", "config": {"units": 3, "name": "d"}}
    made = legacy.saving.deserialize_keras_object(dense, custom_objects=known)
    assert (made.units, made.name) == (3, "d")
    with pytest.raises(ValueError, match="Unknown layer: 'Nothing'"):
        deserialize_keras_object("Nothing", known, printable_module_name="layer")
    with pytest.raises(ValueError, match="Could not interpret serialized object"):
        deserialize_keras_object({"units": 3})


def test_optimizers_of_keras_2_refuse_to_be_made():
    for name in ("Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop", "SGD"):
        with pytest.raises(ImportError, match="not supported in Keras 3"):
            getattr(optimizers.legacy, name)()
