"""Random numbers, under the names of ``keras.random``.

Each function takes ``seed``: an integer for the same numbers every time, a
`SeedGenerator` for new ones at each call, None for the global generator.
"""

from __future__ import annotations

from minikeras import backend as K
from minikeras.backend import SeedGenerator
from minikeras.ops.eager import eager

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

beta = eager(K.random_beta)
binomial = eager(K.random_binomial)
categorical = eager(K.random_categorical)
dropout = eager(K.dropout, inputs="x", rate="level")
gamma = eager(K.random_gamma)
normal = eager(K.random_normal)
randint = eager(K.random_integers)
shuffle = eager(K.random_shuffle)
truncated_normal = eager(K.truncated_normal)
uniform = eager(K.random_uniform)
