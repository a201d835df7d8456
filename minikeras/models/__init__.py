"""Models: Sequential, functional and subclassed."""

from minikeras.backend import Registry
from minikeras.models.cloning import *
from minikeras.models.feature_space import FeatureSpace
from minikeras.models.functional import *
from minikeras.models.functional import Functional
from minikeras.models.model import *
from minikeras.models.model import Model
from minikeras.models.sequential import *
from minikeras.models.sequential import Sequential
from minikeras.saving import load_model, save_model

# Where Keras's files say that these classes are.
Registry("keras", "model", [Model, Sequential])
Registry("keras.src.models.functional", "model", [Functional])
