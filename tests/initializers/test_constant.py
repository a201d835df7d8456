"""Initializers without chance."""

import json

import numpy as np
import pytest

from minikeras import initializers


def test_zeros_ones_and_a_constant():
    np.testing.assert_array_equal(initializers.Zeros()((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializers.Ones()((2, 3)), np.ones((2, 3)))
    np.testing.assert_array_equal(
        initializers.Constant(2.5)((2, 3)), np.full((2, 3), 2.5)
    )
    np.testing.assert_array_equal(
        initializers.Constant([1, 2, 3])((2, 3)), [[1, 2, 3], [1, 2, 3]]
    )
    assert initializers.Zeros()(()).shape == ()


def test_identity_may_be_oblong():
    np.testing.assert_array_equal(
        initializers.Identity(2.0)((2, 3)), 2 * np.eye(2, 3, dtype="float32")
    )


def test_identity_is_of_matrices_only():
    with pytest.raises(ValueError, match=r"2D matrices\. Received: shape=\(2, 2, 2\)"):
        initializers.Identity()((2, 2, 2))


def test_an_array_survives_a_config_in_json():
    first = initializers.Constant(np.float32([1, 2, 3]))
    config = json.loads(json.dumps(first.get_config()))
    again = initializers.Constant.from_config(config)
    np.testing.assert_array_equal(again((2, 3)), first((2, 3)))


def test_a_clone_is_another_one_alike():
    first = initializers.Constant(3.0)
    second = first.clone()
    assert second is not first
    assert second.value == 3.0
