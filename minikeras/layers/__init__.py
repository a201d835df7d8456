"""Layers: arguments, weights and one formula each, written in K."""

from minikeras.layers.base import *
from minikeras.layers.core import *
from minikeras.layers.input_spec import *
