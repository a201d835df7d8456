"""Training: `compile`, the loop of `fit`, `evaluate` and `predict`."""

from minikeras.training.inputs import *
from minikeras.training.trainer import *
