"""What layers have besides `call`, for subclasses and for those who call it by name."""

import numpy as np
import pytest

from minikeras import layers
from minikeras import ops as K
from minikeras.layers.operation import Operation


def test_a_subclass_may_change_the_kernel_of_a_convolution():
    class Standardized(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel - K.mean(kernel))

    x = np.random.default_rng(0).standard_normal((2, 6, 6, 3)).astype("float32")
    layer, plain = (
        Standardized(4, 3, padding="same"),
        layers.Conv2D(4, 3, padding="same"),
    )
    y = layer(x)
    plain.build(x.shape)
    kernel, bias = layer.get_weights()
    plain.set_weights([kernel - kernel.mean(), bias])
    np.testing.assert_allclose(y, plain(x), rtol=1e-5, atol=1e-5)


def test_a_layer_that_is_not_quantized_has_no_quantized_call():
    layer = layers.Dense(3)
    layer.build((None, 4))
    x = np.ones((2, 4), "float32")
    with pytest.raises(NotImplementedError, match="Invalid quantization mode"):
        layer.quantized_call(x)
    with pytest.raises(NotImplementedError, match="no `quantized_call`"):
        Operation().quantized_call(x)
    layer.quantize("int8")
    np.testing.assert_allclose(K.convert_to_numpy(layer.quantized_call(x)), layer(x))


def test_a_call_that_is_not_rematerialized_is_the_call():
    layer = layers.Dense(3)
    assert layer.rematerialized_call(layer.call) == layer.call
    assert Operation().rematerialized_call(abs) is abs


def test_one_image_is_changed_as_one_of_several():
    layer = layers.CenterCrop(2, 2, bounding_box_format="xyxy")
    flip = layers.RandomFlip("horizontal", seed=0, bounding_box_format="xyxy")
    images = np.random.default_rng(0).uniform(size=(1, 4, 4, 3)).astype("float32")
    drawn = flip.get_random_transformation(images)
    one = flip.transform_single_image(images[0], drawn)
    np.testing.assert_array_equal(one, flip.transform_images(images, drawn)[0])
    mask = flip.transform_single_segmentation_mask(images[0], drawn)
    wanted = flip.transform_segmentation_masks(images, drawn)[0]
    np.testing.assert_array_equal(mask, wanted)
    assert layer.transform_single_label(np.array([1, 2]), None).tolist() == [1, 2]
