"""Masks travel from layer to layer with arrays as they do with tensors."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from minikeras import layers
from minikeras.backend import masking
from minikeras.layers import masks

IDS = np.array([[1, 2, 0], [3, 0, 0]])


def test_a_layer_called_on_arrays_sees_the_mask_of_the_layer_before():
    embedding, lstm = layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)
    y = lstm(embedding(IDS))
    np.testing.assert_allclose(y[0], lstm(embedding(IDS[:1, :2]))[0], rtol=1e-6)
    np.testing.assert_allclose(y[1], lstm(embedding(IDS[1:, :1]))[0], rtol=1e-6)


def test_a_mask_passes_through_layers_that_keep_steps_and_is_refused_by_others():
    x = layers.Embedding(5, 3, mask_zero=True)(IDS)
    np.testing.assert_array_equal(masks.mask_of(x), IDS != 0)
    y = layers.Dropout(0.5)(x)
    np.testing.assert_array_equal(masks.mask_of(y), IDS != 0)
    with pytest.warns(UserWarning, match="destroy the mask information"):
        z = layers.Flatten()(y)
    assert masks.mask_of(z) is None


def test_a_mask_is_forgotten_with_its_array():
    x = layers.Masking()(np.ones((1, 2, 3), "float32"))
    held = len(masking._of_arrays)
    assert masks.mask_of(x) is not None
    del x
    gc.collect()
    assert len(masking._of_arrays) == held - 1


def test_a_mask_can_be_taken_away():
    x = layers.Masking()(np.ones((1, 2, 3), "float32"))
    masks.set_mask(x, None)
    assert masks.mask_of(x) is None
