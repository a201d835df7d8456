"""What Keras refuses is refused, when the layer is made."""

import pytest

from minikeras import layers

REFUSED = [
    ("Dense", {"units": 0}),
    ("Dense", {"units": 1.5}),
    ("Embedding", {"input_dim": 0, "output_dim": 1}),
    ("ReLU", {"max_value": -1.0}),
    ("ReLU", {"negative_slope": -1.0}),
    ("LeakyReLU", {"negative_slope": None}),
    ("Permute", {"dims": (1, 3)}),
    ("RepeatVector", {"n": 0}),
    ("Cropping1D", {"cropping": (1, -1)}),
    ("Cropping2D", {"cropping": (1, 2, 3)}),
    ("ZeroPadding2D", {"padding": ((1, 2, 3), 1)}),
    ("UpSampling1D", {"size": 0}),
    ("UpSampling2D", {"size": (2, 0)}),
    ("Conv2D", {"filters": 0, "kernel_size": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": (2, 2, 2)}),
    ("Conv2D", {"filters": 2, "kernel_size": 0}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "strides": 0}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "padding": "causal"}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "padding": "full"}),
    ("Conv2D", {"filters": 3, "kernel_size": 2, "groups": 2}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "data_format": "channels_middle"}),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "strides": 2, "dilation_rate": 2}),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "output_padding": 1}),
    ("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 0}),
    ("MaxPooling2D", {"pool_size": (2, 0)}),
    ("GroupNormalization", {"groups": 0}),
    ("Dropout", {"rate": 2}),
    ("Dot", {"axes": (1, 2, 3)}),
    ("Dense", {"units": 2, "activation": "no such thing"}),
    ("Dense", {"units": 2, "unit": 3}),
]


@pytest.mark.parametrize("name, args", REFUSED)
def test_what_keras_refuses_is_refused(name, args):
    import keras

    for room in (keras.layers, layers):
        with pytest.raises(
            (ValueError, TypeError), match=r"[Rr]eceived|passed|interpret"
        ):
            getattr(room, name)(**args)


BUILT_WRONG = [
    ("Conv2D", {"filters": 2, "kernel_size": 2, "groups": 2}, (None, 4, 4, 3)),
    ("Conv2D", {"filters": 2, "kernel_size": 2}, (None, 4, 4, None)),
    ("Dense", {"units": 2}, (None, None)),
    ("Add", {}, (None, 4)),
    ("Subtract", {}, [(None, 4)]),
    ("Add", {}, [(2, 4), (3, 4)]),
    ("Concatenate", {}, [(None, 4, 3), (None, 5, 3)]),
    ("Dot", {"axes": 1}, [(None, 4), (None, 3)]),
    ("Normalization", {"axis": 3}, (None, 4)),
    ("Normalization", {}, (None, None)),
]


@pytest.mark.parametrize("name, args, shape", BUILT_WRONG)
def test_shapes_that_keras_refuses_are_refused(name, args, shape):
    import keras

    for room in (keras.layers, layers):
        with pytest.raises((ValueError, TypeError)):
            getattr(room, name)(**args).build(shape)


def test_names_that_old_scripts_use_are_the_same_classes():
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.Convolution2D is layers.Conv2D
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D


def test_features_of_keras_that_are_off_are_accepted():
    layers.Dense(3, quantization_config=None)
    layers.BatchNormalization(renorm=False, synchronized=False)
    with pytest.raises(ValueError, match="only supported with the TensorFlow backend"):
        layers.BatchNormalization(synchronized=True)


# What is refused in Keras's own words, by the argument that is wrong.
MESSAGES = [
    ("Conv2D", {"filters": 2, "kernel_size": 3}, {"data_format": "nchw"}),
    ("Cropping2D", {}, {"cropping": -1}),
    ("Cropping2D", {}, {"cropping": (1, 2, 3)}),
    ("Cropping2D", {}, {"cropping": ((1, 1), (-1, 1))}),
    ("ZeroPadding2D", {}, {"padding": (1, 2, 3)}),
    ("Dot", {}, {"axes": 1.5}),
    ("Dot", {}, {"axes": (1, 2, 3)}),
    ("Dropout", {"rate": 0.5}, {"noise_shape": 3}),
    ("Dropout", {"rate": 0.5}, {"noise_shape": "3"}),
    ("Dropout", {"rate": 0.5}, {"noise_shape": (None, 1.5)}),
    ("Dropout", {"rate": 0.5}, {"noise_shape": (2, 0)}),
    ("RepeatVector", {}, {"n": 0}),
    ("RepeatVector", {}, {"n": "two"}),
    ("UpSampling1D", {}, {"size": -1}),
    ("Discretization", {"bin_boundaries": [1.0]}, {"sparse": True}),
    ("Reshape", {}, {"target_shape": (-1, -1)}),
    ("LayerNormalization", {}, {"axis": "last"}),
    ("LSTM", {"units": 2}, {"use_cudnn": "never"}),
    ("BatchNormalization", {}, {"synchronized": True}),
    ("STFTSpectrogram", {}, {"mode": []}),
]


@pytest.mark.parametrize("name, rest, wrong", MESSAGES)
def test_messages_are_those_of_keras(name, rest, wrong):
    keras = pytest.importorskip("keras")
    found = []
    for room in (keras.layers, layers):
        with pytest.raises((TypeError, ValueError)) as raised:
            getattr(room, name)(**rest, **wrong)
        # A set's order is any.
        message = str(raised.value).replace(
            "{'channels_last', 'channels_first'}", "{'channels_first', 'channels_last'}"
        )
        cudnn = message.partition("Expected one of {")
        found.append((raised.type.__name__, cudnn[0] or message))
    assert found[0] == found[1]


def test_no_noise_needs_no_seed():
    for layer in (layers.Dropout(0), layers.GaussianNoise(0), layers.AlphaDropout(0)):
        assert layer.variables == []
    assert len(layers.Dropout(0.1).variables) == 1
