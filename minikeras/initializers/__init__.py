"""Initializers: first values of weights, as functions ``(shape, dtype) -> array``."""

from typing import Any

from minikeras import backend as K
from minikeras.initializers.constant import Constant, Identity, Initializer, Ones, Zeros
from minikeras.initializers.fourier import STFT
from minikeras.initializers.sampling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    compute_fans,
)

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = stft = STFT

_INITIALIZERS = [globals()[name] for name in __all__ if name[0].isupper()]
_ALIASES = {
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
    "STFTInitializer": STFT,
    "normal": RandomNormal,
    "one": Ones,
    "uniform": RandomUniform,
    "zero": Zeros,
}

_registry = K.Registry(
    "keras.initializers",
    "initializer",
    _INITIALIZERS,
    _ALIASES,
    fold=K.to_snake_case,
    top=[Initializer],
)
serialize, deserialize = _registry.serialize, _registry.deserialize


def get(identifier: Any) -> Any:
    """Return the initializer meant: by its name, its config, its class, or itself.

    An array is one, too: it yields itself.

    Raises:
        ValueError: if `identifier` means no initializer.
    """
    if K.is_array(identifier):
        return _Given(identifier)
    return _registry.get(identifier)


class _Given(Constant):
    """The array itself, in the shape that it has."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if tuple(shape) != tuple(self.value.shape):
            raise ValueError(
                f"Expected `shape` to be {tuple(self.value.shape)} for direct tensor "
                f"as initializer. Received shape={tuple(shape)}"
            )
        return super().__call__(shape, dtype)


constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros
