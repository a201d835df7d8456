"""Layers: arguments, weights and one formula each, written in K.

A layer's module is imported when the layer is first used, by its name or in a file.
"""

from typing import TYPE_CHECKING

from minikeras import backend as K
from minikeras.layers import plain
from minikeras.layers.base import Layer
from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.layers.activation import *
    from minikeras.layers.adaptive import *
    from minikeras.layers.attention import *
    from minikeras.layers.augmentation import *
    from minikeras.layers.batch_normalization import *
    from minikeras.layers.cells import *
    from minikeras.layers.conv import *
    from minikeras.layers.conv_recurrent import *
    from minikeras.layers.core import *
    from minikeras.layers.einsum_dense import *
    from minikeras.layers.foreign.jax_layers import *
    from minikeras.layers.foreign.saved_models import *
    from minikeras.layers.foreign.torch_modules import *
    from minikeras.layers.input_spec import *
    from minikeras.layers.merging import *
    from minikeras.layers.multi_head import *
    from minikeras.layers.normalization import (
        GroupNormalization,
        LayerNormalization,
        RMSNormalization,
        UnitNormalization,
    )
    from minikeras.layers.pooling import *
    from minikeras.layers.preprocessing import (
        CategoryEncoding,
        Discretization,
        HashedCrossing,
        Hashing,
        IntegerLookup,
        Normalization,
        Rescaling,
        StringLookup,
        TextVectorization,
    )
    from minikeras.layers.recurrent import *
    from minikeras.layers.regularization import *
    from minikeras.layers.reshaping import *
    from minikeras.layers.reversible import *
    from minikeras.layers.separable import *
    from minikeras.layers.spectral import *
    from minikeras.layers.spectrograms import *
    from minikeras.layers.wrapping import *

_CLASSES = {
    "activation": "ELU Activation LeakyReLU PReLU ReLU Softmax",
    "adaptive": "AdaptiveAveragePooling1D AdaptiveAveragePooling2D "
    "AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D "
    "AdaptiveMaxPooling3D",
    "attention": "AdditiveAttention Attention",
    "augmentation.blurring": "RandomGaussianBlur RandomSharpness",
    "augmentation.boxes": "MaxNumBoundingBoxes",
    "augmentation.color": "RandomBrightness RandomColorDegeneration RandomColorJitter "
    "RandomContrast RandomGrayscale RandomHue RandomInvert RandomPosterization "
    "RandomSaturation Solarization",
    "augmentation.cropping": "CenterCrop RandomCrop RandomFlip Resizing",
    "augmentation.histograms": "AutoContrast "
    "ContrastLimitedAdaptiveHistogramEqualization Equalization",
    "augmentation.mixing": "CutMix MixUp RandomErasing",
    "augmentation.policies": "AugMix Pipeline RandAugment",
    "augmentation.warping": "RandomElasticTransform RandomPerspective RandomRotation "
    "RandomShear RandomTranslation RandomZoom",
    "batch_normalization": "BatchNormalization",
    "cells": "GRUCell LSTMCell SimpleRNNCell StackedRNNCells",
    "conv": "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose "
    "Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose "
    "Convolution3D Convolution3DTranspose",
    "conv_recurrent": "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
    "core": "Dense Embedding Identity InputLayer Lambda Masking",
    "einsum_dense": "EinsumDense",
    "foreign.jax_layers": "FlaxLayer JaxLayer",
    "foreign.saved_models": "TFSMLayer",
    "foreign.torch_modules": "TorchModuleWrapper",
    "input_spec": "InputSpec",
    "merging": "Add Average Concatenate Dot Maximum Minimum Multiply Subtract",
    "multi_head": "GroupQueryAttention GroupedQueryAttention MultiHeadAttention",
    "normalization": "GroupNormalization LayerNormalization RMSNormalization "
    "UnitNormalization",
    "pooling": "AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D "
    "AvgPool3D GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
    "GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D "
    "GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D "
    "MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D",
    "preprocessing.categories": "CategoryEncoding Discretization",
    "preprocessing.hashing": "HashedCrossing Hashing",
    "preprocessing.lookup": "IntegerLookup StringLookup",
    "preprocessing.numerical": "Normalization Rescaling",
    "preprocessing.text_vectorization": "TextVectorization",
    "recurrent": "GRU LSTM RNN SimpleRNN",
    "regularization": "ActivityRegularization AlphaDropout Dropout GaussianDropout "
    "GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D",
    "reshaping": "Cropping1D Cropping2D Cropping3D Flatten Permute RepeatVector "
    "Reshape UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D "
    "ZeroPadding3D",
    "reversible": "ReversibleEmbedding",
    "separable": "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D "
    "SeparableConvolution1D SeparableConvolution2D",
    "spectral": "SpectralNormalization",
    "spectrograms": "MelSpectrogram STFTSpectrogram",
    "wrapping": "Bidirectional TimeDistributed Wrapper",
}
_OTHERS = {
    "core": "Input",
    "input_spec": "check_inputs known_shape",
    "merging": "add average concatenate dot maximum minimum multiply subtract",
}
_HOMES = homes_in(__name__, _CLASSES)

__getattr__, __dir__ = attach(__name__, _HOMES | homes_in(__name__, _OTHERS))


def _is_layer(obj: object) -> bool:
    return isinstance(obj, Layer)


_registry = K.Registry(
    "keras.layers", "layer", [Layer], accepts=_is_layer, homes=_HOMES
)
get, serialize, deserialize = _registry.get, _registry.serialize, _registry.deserialize

# A class that is not public in Keras, but named in its files.
_LOOKUP = "layers.preprocessing.index_lookup"
K.publish_late({"IndexLookup": f"minikeras.{_LOOKUP}"}, f"keras.src.{_LOOKUP}")

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Equalization",
    "Flatten",
    "FlaxLayer",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "JaxLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxNumBoundingBoxes",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "PReLU",
    "Permute",
    "Pipeline",
    "RMSNormalization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "STFTSpectrogram",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TFSMLayer",
    "TextVectorization",
    "TimeDistributed",
    "TorchModuleWrapper",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "check_inputs",
    "concatenate",
    "deserialize",
    "dot",
    "get",
    "known_shape",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
