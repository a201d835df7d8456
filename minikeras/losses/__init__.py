"""Losses: functions ``(batch, ...) -> (batch,)`` and classes that reduce their values.

Each loss is a function of targets and predictions, and a class of the same name that
weighs and reduces what the function returns.
"""

from minikeras import backend as K
from minikeras.losses.base import Loss, LossFunctionWrapper
from minikeras.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minikeras.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from minikeras.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from minikeras.losses.overlap import Dice, Tversky, dice, tversky
from minikeras.losses.probabilistic import KLDivergence, Poisson, kl_divergence, poisson
from minikeras.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

_LOSSES = [
    Loss,
    LossFunctionWrapper,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Dice,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Tversky,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
]
bce = BCE = binary_crossentropy
kld = KLD = kl_divergence
logcosh = log_cosh
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error

_SHORT = [
    "bce",
    "BCE",
    "kld",
    "KLD",
    "logcosh",
    "mae",
    "MAE",
    "mape",
    "MAPE",
    "mse",
    "MSE",
    "msle",
    "MSLE",
]
_ALIASES = {name: globals()[name] for name in _SHORT}

_registry = K.Registry("keras.losses", "loss", _LOSSES, _ALIASES)
get, serialize, deserialize = _registry.get, _registry.serialize, _registry.deserialize

__all__ = [
    *_SHORT,
    *(loss.__name__ for loss in _LOSSES),
    "deserialize",
    "get",
    "serialize",
]
